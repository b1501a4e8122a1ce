// Pages through a customer's credit changes with urql, whose normalised cache joins the pages.
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { endpoint, openWire, task, tell } from './gateway.mjs';
import { operation } from './operations.mjs';

const wire = openWire();
const client = new Client({
  url: endpoint,
  preferGetMethod: false,
  fetch: wire.fetch,
  exchanges: [
    cacheExchange({ resolvers: { Customer: { creditChanges: relayPagination() } } }),
    fetchExchange,
  ],
});

const forwards = task.direction === 'forwards';
const shared = { reference: task.reference, orderBy: task.orderBy };
const size = forwards ? { first: task.size } : { last: task.size };

await tell(async () => {
  let list;
  for (let next = {}; next; next = place(list)) {
    const variables = { ...shared, ...size, ...next };
    const { data, error } = await client.query(operation('CreditChanges'), variables).toPromise();
    if (error) throw error;
    list = data.customer.creditChanges;
  }
  const rows = list.edges.map(({ node }) => ({ id: node.id, at: node.occurredAt }));
  return { rows, pages: wire.pages, arrived: wire.arrived };
});

function place({ pageInfo }) {
  if (forwards) return pageInfo.hasNextPage && { after: pageInfo.endCursor };
  return pageInfo.hasPreviousPage && { before: pageInfo.startCursor };
}
