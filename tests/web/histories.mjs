// Lets a history follow a list that changes by chance, and counts how often it is not that list.
import { History } from '../../app/web/dashboard/history.js';

const { seed, steps, deaf, silent } = JSON.parse(process.argv[2]);
const PAGE = 5;
const SOURCES = ['a', 'b', 'c'];

// A small generator of our own, so that what fails can be looked at again.
let state = seed;
const chance = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
};

let told = 0;
let time = 1_000_000;
const entries = [];
const away = new Set();

const instant = (seconds) => new Date(seconds * 1000).toISOString();
const add = (seconds) => {
  entries.push({ id: `e${told++}`, seconds, source: SOURCES[chance(SOURCES.length)] });
  entries.sort((one, other) => other.seconds - one.seconds || (one.id < other.id ? 1 : -1));
};
const visible = () => entries.filter((entry) => !away.has(entry.source));

// As the API does: a cursor is a place in the order, not a number of rows.
const read = async (after) => {
  const place = after === null ? -1 : entries.findIndex((entry) => entry.id === after);
  const rest = entries.slice(place + 1).filter((entry) => !away.has(entry.source));
  const nodes = rest.slice(0, PAGE).map(({ id, seconds }) => ({ id, at: instant(seconds) }));
  return {
    nodes,
    pageInfo: { hasNextPage: rest.length > PAGE, endCursor: nodes.at(-1)?.id ?? null },
    totalCount: null,
    sources: SOURCES.map((id) => ({
      account: { id },
      state: away.has(id) && !silent ? 'UNAVAILABLE' : 'FRESH',
    })),
  };
};

for (let count = 0; count < 23; count++) add(time - chance(50));
const history = new History(read, () => {});
await history.more();

let wrong = 0;
let repeated = 0;
for (let step = 0; step < steps; step++) {
  const what = chance(10);
  if (what < 4) {
    await history.more();
  } else if (what < 9) {
    // Mostly on top, sometimes among what is known or below it; several at once, too. What comes on
    // top while the connection is lost is not told of.
    const isLost = what < 7 && chance(3) === 0;
    let until = Infinity;
    for (let count = chance(8); count >= 0; count--) {
      const seconds = what < 7 ? ++time : time - chance(60);
      add(seconds);
      if (!isLost) until = Math.min(until, Date.parse(instant(seconds)));
    }
    if (!deaf) await history.again({ until });
  } else if (away.size) {
    away.clear();
    await history.again();
  } else {
    // What is known stays while a source is away: the gateway says that it is missing.
    away.add(SOURCES[chance(SOURCES.length)]);
    await history.again();
  }
  const ids = history.rows.map((row) => row.id);
  if (new Set(ids).size !== ids.length) repeated++;
  if (away.size) continue;
  const wanted = visible().slice(0, ids.length);
  const isEnd = history.hasMore === entries.length > ids.length;
  if (!isEnd || wanted.some((entry, index) => entry.id !== ids[index])) wrong++;
}
console.log(JSON.stringify({ wrong, repeated, entries: entries.length, rows: history.rows.length }));
