// Hive Gateway as it is measured: nothing is reported anywhere, and with CACHED answers are kept.
import { defineConfig } from "@graphql-hive/gateway";
import CacheInMemoryLRU from "@graphql-mesh/cache-inmemory-lru";

const cached = process.env.CACHED
  ? {
      cache: new CacheInMemoryLRU(),
      responseCaching: { ttl: 3_600_000, includeExtensionMetadata: false },
    }
  : {};

export const gatewayConfig = defineConfig({
  ...cached,
  supergraph: process.env.SUPERGRAPH,
  polling: false,
  jit: true,
  graphiql: false,
  landingPage: false,
  logging: "error",
});
