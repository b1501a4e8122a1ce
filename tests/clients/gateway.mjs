// What the scripts here share: their task, the one line that they answer, and the wire to the gateway.

/** The task, as the one argument says in JSON: `url`, `token`, and what the script names more. */
export const task = JSON.parse(process.argv[2] ?? '{}');

export const endpoint = `${task.url}/graphql`;
export const headers = { Authorization: `Bearer ${task.token}` };

/** Prints what the work returns as one line of JSON and ends the process, which fails if it throws or lasts. */
export async function tell(work, seconds = 60) {
  setTimeout(() => {
    console.error(`It was not done within ${seconds} s.`);
    process.exit(1);
  }, seconds * 1000);
  try {
    const line = `${JSON.stringify(await work())}\n`;
    // Libraries keep timers for minutes.
    process.stdout.write(line, () => process.exit());
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

/** What `task.doctor` may do to the edges of the second page, for a test that has to notice it. */
const doctors = {
  repeat: (edges) => [edges[0], ...edges],
  skip: (edges) => edges.slice(1),
  turn: (edges) => edges.toReversed(),
};

/**
 * A `fetch` for client libraries that notes the ids of each page that comes in `pages`, and after each page lets
 * the next of `task.arrivals` happen in the sandbox, as long as there are any; `arrived` counts those.
 */
export function openWire() {
  const wire = { pages: [], arrived: 0, fetch: watchedFetch };

  async function watchedFetch(input, init) {
    const response = await fetch(input, { ...init, headers: { ...init.headers, ...headers } });
    const answer = await response.json();
    const connection = connectionIn(answer.data);
    if (connection) {
      if (wire.pages.length === 1 && task.doctor) {
        connection.edges = doctors[task.doctor](connection.edges);
      }
      wire.pages.push(connection.edges.map((edge) => edge.node.id));
      await letArrive(wire);
    }
    return Response.json(answer, { status: response.status, headers: contentType(response) });
  }

  return wire;
}

function contentType(response) {
  return { 'Content-Type': response.headers.get('Content-Type') };
}

function connectionIn(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value.edges)) return value;
  return Object.values(value).map(connectionIn).find(Boolean);
}

/** Lets the next of `task.arrivals` happen in the sandbox, if there is one. */
export async function letArrive(wire) {
  const arrival = task.arrivals?.[wire.arrived];
  if (!arrival) return;
  wire.arrived += 1;
  const response = await fetch(`${task.sandbox}/control/entries`, {
    method: 'POST',
    body: JSON.stringify(arrival),
  });
  if (!response.ok) throw new Error(await response.text());
}
