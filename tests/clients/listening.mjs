// Asks a question, then listens to two customers until the one of them, to whom entries arrive, is told of one.
import { print } from 'graphql';
import { operation } from './operations.mjs';
import { letArrive } from './gateway.mjs';

/** What a client, whose operations are iterated, is told; both subscriptions are ended by then. */
export async function listen(client, { reference, other, arrivals }) {
  const asked = client.iterate({ query: text('Reader') });
  const { value: answer } = await asked.next();
  const { done } = await asked.next();

  const busy = subscribed(client, reference);
  const quiet = subscribed(client, other);
  const heard = [];
  const hearing = take(busy, heard, 1);
  const overheard = [];
  const overhearing = take(quiet, overheard, 1);
  // Nobody tells when a subscription begins to hear, so that entries arrive until one is heard.
  const arriving = { arrived: 0 };
  while (heard.length === 0 && arriving.arrived < arrivals.length) {
    await letArrive(arriving);
    await Promise.race([hearing, new Promise((done) => setTimeout(done, 1000))]);
  }
  await quiet.return();
  await Promise.all([hearing, overhearing]);
  return { answer, answered: done, heard, overheard, arrived: arriving.arrived };
}

const text = (name) => print(operation(name));

function subscribed(client, reference) {
  return client.iterate({ query: text('CreditChangeAdded'), variables: { reference } });
}

async function take(results, heard, most) {
  for await (const result of results) {
    heard.push(result);
    if (heard.length === most) break;
  }
}
