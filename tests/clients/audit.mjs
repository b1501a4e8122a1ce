// Asks the gateway every question of the audit of GraphQL over HTTP.
import { serverAudits } from 'graphql-http';
import { endpoint, headers, task, tell } from './gateway.mjs';

const asking = (input, init) =>
  fetch(input, { ...init, headers: { ...init?.headers, ...(task.token ? headers : {}) } });

await tell(async () => {
  const results = [];
  for (const audit of serverAudits({ url: endpoint, fetchFn: asking })) {
    const { id, name, status, reason } = await audit.fn();
    results.push({ id, name, status, reason });
  }
  return results;
});
