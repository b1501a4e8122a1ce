// Composes the supergraph that Hive Gateway serves out of the providers' OpenAPI.
// Arguments: a JSON file with the upstreams' `origin` and `headers`, and a folder to write to.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getComposedSchemaFromConfig } from "@graphql-mesh/compose-cli";
import { loadOpenAPISubgraph } from "@omnigraph/openapi";
import * as providers from "./openapi.mjs";

const [how, folder] = process.argv.slice(2);
const { origin, headers } = JSON.parse(readFileSync(how, "utf8"));
const subgraphs = Object.entries(providers).map(([name, described]) => {
  const source = join(folder, `${name}.json`);
  writeFileSync(source, JSON.stringify(described(origin)));
  return { sourceHandler: loadOpenAPISubgraph(name, { source, operationHeaders: headers[name] }) };
});
const quiet = { debug() {}, info() {}, log() {}, warn: console.warn, error: console.error };
quiet.child = () => quiet;
const supergraph = await getComposedSchemaFromConfig({ cwd: folder, subgraphs }, quiet);
writeFileSync(join(folder, "supergraph.graphql"), supergraph);
