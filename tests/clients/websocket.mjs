// Listens over a WebSocket with graphql-ws's client, and tells how the connection was closed.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { endpoint, headers, task, tell } from './gateway.mjs';
import { listen } from './listening.mjs';

await tell(async () => {
  let close;
  const closed = new Promise((done) => {
    close = done;
  });
  const client = createClient({
    url: endpoint.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: headers,
    lazy: false,
    retryAttempts: 0,
    onNonLazyError: close,
    on: { closed: ({ code, reason }) => close({ code, reason }) },
  });
  const told = await listen(client, task);
  await client.dispose();
  return { ...told, closed: await closed };
});
