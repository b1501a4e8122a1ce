// Merges the newest rows of several accounts, each list newest first, into a page of a connection.
export function pageOf(rowsByAccount, first) {
  const next = rowsByAccount.map(() => 0);
  const nodes = [];
  while (nodes.length < first) {
    let newest = -1;
    for (let at = 0; at < rowsByAccount.length; at += 1) {
      const row = rowsByAccount[at][next[at]];
      if (row && (newest < 0 || row.occurredAt > rowsByAccount[newest][next[newest]].occurredAt)) {
        newest = at;
      }
    }
    if (newest < 0) break;
    nodes.push(rowsByAccount[newest][next[newest]]);
    next[newest] += 1;
  }
  const hasNextPage = rowsByAccount.some((rows, at) => next[at] < rows.length);
  return {
    nodes,
    pageInfo: { hasNextPage, hasPreviousPage: false, endCursor: nodes.at(-1)?.id },
    sources: rowsByAccount.map((rows) => ({ state: "FRESH", account: rows[0].account })),
  };
}
