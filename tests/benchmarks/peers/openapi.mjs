// What the three providers answer, as OpenAPI has it, for servers that are made from that.
const text = { type: "string" };
const number = { type: "number" };
const whole = { type: "integer" };
const object = (properties) => ({ type: "object", properties });
const list = (properties) => ({ type: "array", items: object(properties) });
const texts = (...names) => Object.fromEntries(names.map((name) => [name, text]));

function described(title, origin, path, operationId, parameters, answer) {
  const asked = Object.entries(parameters).map(([name, schema]) => ({ name, in: "query", schema }));
  const content = { "application/json": { schema: answer } };
  const responses = { 200: { description: "The rows.", content } };
  return {
    openapi: "3.0.3",
    info: { title, version: "1" },
    servers: [{ url: origin }],
    paths: { [path]: { get: { operationId, parameters: asked, responses } } },
  };
}

const change = { changed_at: text, diff: whole, reason: text };
const record = {
  ...texts("customer_id", "credit_operation_type", "credit_operation_note", "partner_id"),
  ...texts("store_id", "currency_id", "credit_history_record_time"),
  amount: number,
};
const logged = texts(
  ...["id", "date", "client_id", "in", "out", "balance", "description", "invoice_id"],
  ...["transaction_id", "admin_id", "admin_name", "currency_id", "transid", "brand_id"],
  ...["client_brand_id", "firstname", "lastname"],
);

export const cloudreve = (origin) =>
  described(
    "Cloudreve",
    `${origin}/cloudreve/api/v4`,
    "/user/creditChanges",
    "creditChanges",
    { page_size: whole, order_direction: text },
    object({ code: whole, msg: text, data: object({ changes: list(change) }) }),
  );

export const hostup = (origin) =>
  described(
    "HostUp",
    `${origin}/hostup/api`,
    "/billing/credit-log",
    "creditLog",
    { page: whole },
    object({ success: { type: "boolean" }, data: object({ log: list(logged) }) }),
  );

export const carecloud = (origin) =>
  described(
    "CareCloud",
    `${origin}/carecloud/webservice/rest-api/enterprise-interface/v1.0`,
    "/credit-history",
    "creditHistory",
    { customer_id: text, count: whole, sort_field: text, sort_direction: text },
    object({ data: object({ total_items: whole, credit_history: list(record) }) }),
  );
