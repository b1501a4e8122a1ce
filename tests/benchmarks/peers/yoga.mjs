// GraphQL Yoga with graphql-jit and the gateway's schema. Arguments: port, and a JSON file with what
// it serves: the rows of each account, or else how to ask three upstreams for them. With CACHED,
// answers are kept.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import { useResponseCache } from "@graphql-yoga/plugin-response-cache";
import { createSchema, createYoga } from "graphql-yoga";
import { pageOf } from "./rows.mjs";
import { asking } from "./upstreams.mjs";

const [port, file] = process.argv.slice(2);
const served = JSON.parse(readFileSync(file, "utf8"));
const rowsByAccount = served.rowsByAccount ? () => served.rowsByAccount : asking(served);
const resolvers = {
  Query: { customer: (_, { reference }) => ({ reference, displayName: "Anna" }) },
  Customer: {
    // The cache of answers asks for ids, to know what an answer was made of.
    id: ({ reference }) => reference,
    creditChanges: async (_, { first }) => pageOf(await rowsByAccount(), first),
  },
  Account: { id: ({ label }) => label },
};
const cache = useResponseCache({ session: () => null, ttl: 3_600_000 });
const yoga = createYoga({
  schema: createSchema({ typeDefs: readFileSync(served.schema, "utf8"), resolvers }),
  plugins: [useGraphQlJit(), ...(process.env.CACHED ? [cache] : [])],
  graphiql: false,
  landingPage: false,
  logging: false,
});
createServer(yoga).listen(Number(port), "127.0.0.1");
