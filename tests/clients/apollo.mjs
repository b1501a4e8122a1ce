// Pages through a customer's credit changes with Apollo Client, whose cache joins the pages.
import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import { filter, firstValueFrom } from 'rxjs';
import { endpoint, openWire, task, tell } from './gateway.mjs';
import { operation } from './operations.mjs';

const wire = openWire();
const client = new ApolloClient({
  link: new HttpLink({ uri: endpoint, fetch: wire.fetch }),
  cache: new InMemoryCache({
    typePolicies: {
      Customer: { fields: { creditChanges: relayStylePagination(['filter', 'orderBy']) } },
    },
  }),
});

const forwards = task.direction === 'forwards';
const shared = { reference: task.reference, orderBy: task.orderBy };
const size = forwards ? { first: task.size } : { last: task.size };

await tell(async () => {
  const list = client.watchQuery({
    query: operation('CreditChanges'),
    variables: { ...shared, ...size },
  });
  const watching = list.subscribe(() => {});
  const shown = async () => {
    const { data, error } = await firstValueFrom(list.pipe(filter((result) => !result.loading)));
    if (error) throw error;
    return data.customer.creditChanges;
  };
  let pages = await shown();
  for (let next = place(pages); next; next = place(pages)) {
    await list.fetchMore({ variables: { ...shared, ...size, ...next } });
    pages = await shown();
  }
  watching.unsubscribe();
  const rows = pages.edges.map(({ node }) => ({ id: node.id, at: node.occurredAt }));
  return { rows, pages: wire.pages, arrived: wire.arrived };
});

function place({ pageInfo }) {
  if (forwards) return pageInfo.hasNextPage && { after: pageInfo.endCursor };
  return pageInfo.hasPreviousPage && { before: pageInfo.startCursor };
}
