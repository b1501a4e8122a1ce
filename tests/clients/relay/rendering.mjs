// A component that shows a list with Relay's hooks, rendered without a browser.
import { createRequire } from 'node:module';
import { act, createElement, Suspense } from 'react';
import { create } from 'react-test-renderer';
import relay from 'react-relay';
import { Environment, Network, RecordSource, Store } from 'relay-runtime';
import { endpoint, openWire } from '../gateway.mjs';

const require = createRequire(import.meta.url);
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

/** What relay-compiler wrote for a fragment or an operation. */
export const artifact = (name) => require(`./__generated__/${name}.graphql.js`);

/** An environment with an empty store, and the wire that it asks through. */
export function openEnvironment() {
  const wire = openWire();
  const ask = async ({ text: query }, variables) => {
    const response = await wire.fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    return response.json();
  };
  const environment = new Environment({
    network: Network.create(ask),
    store: new Store(new RecordSource()),
  });
  return { environment, wire };
}

/**
 * Renders the list that `fragment` reads, and returns how to see what its hook gives now. The first page is asked
 * for with the fragment's own refetch query, by `node(id:)` where the list has an owner.
 */
export async function render(environment, fragment, variables) {
  const { operation } = artifact(fragment).metadata.refetch;
  let list;
  function List() {
    const found = relay.useLazyLoadQuery(operation, variables);
    list = relay.usePaginationFragment(artifact(fragment), variables.id ? found.node : found);
    return null;
  }
  const tree = createElement(
    relay.RelayEnvironmentProvider,
    { environment },
    createElement(Suspense, { fallback: null }, createElement(List)),
  );
  let root;
  await act(async () => {
    root = create(tree);
  });
  while (!list) await rest();
  return { now: () => list, close: () => act(async () => root.unmount()) };
}

/** Begins something, if anything, and lets React do what is due for a while. */
export const rest = (start = () => {}) =>
  act(async () => {
    start();
    await new Promise((done) => setTimeout(done, 5));
  });

/** Returns when what `start` begins has told that it is complete. */
export const complete = (start) =>
  act(
    () =>
      new Promise((done, fail) => {
        start((error) => (error ? fail(error) : done()));
      }),
  );
