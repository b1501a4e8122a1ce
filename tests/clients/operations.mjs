// The operations of operations.graphql, each as a document of its own.
import { readFileSync } from 'node:fs';
import { Kind, parse } from 'graphql';

const file = new URL('operations.graphql', import.meta.url);

/** The document of the operation with that name. */
export function operation(name) {
  const definitions = parse(readFileSync(file, 'utf8')).definitions;
  return { kind: Kind.DOCUMENT, definitions: definitions.filter((one) => one.name.value === name) };
}
