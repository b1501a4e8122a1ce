// Listens to server-sent events with graphql-sse's client, and tells how many requests are still open at the end.
import { createClient } from 'graphql-sse';
import { endpoint, headers, task, tell } from './gateway.mjs';
import { listen } from './listening.mjs';

await tell(async () => {
  const signals = [];
  const client = createClient({
    url: endpoint,
    headers,
    retryAttempts: 0,
    fetchFn: (input, init) => {
      signals.push(init.signal);
      return fetch(input, init);
    },
  });
  const told = await listen(client, task);
  client.dispose();
  return { ...told, requests: signals.length, open: signals.filter((one) => !one.aborted).length };
});
