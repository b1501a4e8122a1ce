// Creates a customer, asks for it by its id, and deletes it; tells what the shown list holds after each.
import relay from 'react-relay';
import { ConnectionHandler, ROOT_ID } from 'relay-runtime';
import { task, tell } from '../gateway.mjs';
import { artifact, complete, openEnvironment, render, rest } from './rendering.mjs';

await tell(async () => {
  const { environment } = openEnvironment();
  const list = await render(environment, 'ListsCustomers_forwards', { first: 100 });
  const connection = ConnectionHandler.getConnectionID(ROOT_ID, 'Forwards_customers');
  const before = shown(list);
  const told = {};
  const change = (mutation, variables) =>
    complete((onComplete) =>
      relay.commitMutation(environment, {
        mutation: artifact(mutation),
        variables,
        onCompleted: (answer, errors) => {
          Object.assign(told, answer);
          onComplete(errors?.[0]);
        },
        onError: onComplete,
      }),
    );

  const input = { reference: task.reference, clientMutationId: 'one' };
  await change('ChangesCreateCustomerMutation', { input, connections: [connection] });
  await rest();
  const afterCreating = shown(list);

  const { id } = told.createCustomer.customer;
  const asked = relay.fetchQuery(environment, artifact('ChangesCustomerQuery'), { id });
  const { node } = await asked.toPromise();

  await change('ChangesDeleteCustomerMutation', { input });
  await rest();
  const afterDeleting = shown(list);
  await list.close();
  return { before, afterCreating, node, afterDeleting, told };
});

function shown(list) {
  return list.now().data.customers.edges.map((edge) => edge.node?.reference).filter(Boolean);
}
