// Pages through one list with Relay's hooks, in one direction, and then asks for its first page anew.
import { task, tell } from '../gateway.mjs';
import { complete, openEnvironment, render, rest } from './rendering.mjs';

const forwards = task.direction === 'forwards';
const size = forwards ? { first: task.size } : { last: task.size };

await tell(async () => {
  const { environment, wire } = openEnvironment();
  const owner = task.owner ? { id: task.owner } : {};
  const list = await render(environment, `${task.list}_${task.direction}`, { ...size, ...owner });
  while (forwards ? list.now().hasNext : list.now().hasPrevious) {
    const load = forwards ? list.now().loadNext : list.now().loadPrevious;
    await complete((onComplete) => load(task.size, { onComplete }));
  }
  const rows = shown(list.now().data);
  const pages = [...wire.pages];
  // React asks only once what is due is done, so that this cannot be waited for within it.
  await rest(() => list.now().refetch(size, { fetchPolicy: 'network-only' }));
  while (wire.pages.length === pages.length) await rest();
  // On a busy machine React shows what has come some turns later.
  for (let turn = 0; turn < 50 && shown(list.now().data).length > task.size; turn += 1) await rest();
  const anew = shown(list.now().data);
  await list.close();
  return { rows, pages, arrived: wire.arrived, anew };
});

function shown(owner) {
  const [connection] = Object.values(owner).filter((value) => value?.edges);
  return connection.edges.map(({ node: { id, ...more } }) => ({
    id,
    at: more.occurredAt ?? more.createdAt ?? more.reference,
  }));
}
