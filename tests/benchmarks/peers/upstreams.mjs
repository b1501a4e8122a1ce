// Asks the three providers side by side, and translates what they answer.
const account = (label, name, kind) => ({ label, provider: { name, kind } });
const accounts = {
  cloudreve: account("Cloud drive", "cloud", "CLOUDREVE"),
  hostup: account("Hosting", "hosting", "HOSTUP"),
  carecloud: account("Loyalty card", "loyalty", "CARECLOUD"),
};
const kinds = { recharge: "TOP_UP", pay: "SPEND", share_purchased: "EARNING", adjust: "ADJUSTMENT" };
const hour = 3_600_000;

export function asking({ upstreams, units }) {
  return async () => {
    const [cloud, hosting, loyalty] = await Promise.all(upstreams.map(answer));
    return [
      cloud.data.changes.map(cloudRow),
      hosting.data.log.map(hostingRow),
      loyalty.data.credit_history.map((row) => loyaltyRow(row, units)),
    ];
  };
}

async function answer({ url, headers }) {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

function cloudRow(row) {
  const at = written(Date.parse(row.changed_at));
  return {
    id: `cloud ${at} ${row.diff}`,
    occurredAt: at,
    amount: { amount: String(row.diff), unit: "points" },
    kind: kinds[row.reason] ?? "OTHER",
    reason: row.reason,
    account: accounts.cloudreve,
  };
}

function hostingRow(row) {
  const received = Number(row.in);
  const spent = Number(row.out);
  let kind = "OTHER";
  if (row.admin_id !== "0") kind = "ADJUSTMENT";
  else if (spent && row.invoice_id !== "0") kind = "SPEND";
  else if (received && row.transaction_id !== "0") kind = "TOP_UP";
  return {
    id: `hosting ${row.id}`,
    occurredAt: written(instant(row.date)),
    amount: { amount: (received - spent).toFixed(2), unit: "SEK" },
    balanceAfter: { amount: row.balance, unit: "SEK" },
    kind,
    reason: row.description,
    description: row.description,
    account: accounts.hostup,
  };
}

function loyaltyRow(row, units) {
  const at = written(instant(row.credit_history_record_time));
  return {
    id: `loyalty ${at} ${row.amount}`,
    occurredAt: at,
    amount: { amount: String(row.amount), unit: units[row.currency_id] ?? "credits" },
    kind: "OTHER",
    reason: row.credit_operation_type,
    description: row.credit_operation_note || null,
    account: accounts.carecloud,
  };
}

// Both zones have Central European time: an hour ahead, and two from March's last Sunday to October's.
function instant(local) {
  const at = Date.parse(`${local.replace(" ", "T")}Z`) - hour;
  const year = new Date(at).getUTCFullYear();
  return at >= lastSunday(year, 2) && at < lastSunday(year, 9) ? at - hour : at;
}

function lastSunday(year, month) {
  const end = new Date(Date.UTC(year, month + 1, 0, 1));
  return end - end.getUTCDay() * 24 * hour;
}

const written = (at) => new Date(at).toISOString().replace(".000Z", "Z");
