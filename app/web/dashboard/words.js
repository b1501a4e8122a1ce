// The schema may come to have more of each; those are shown by their own names.
export const LISTS = { changes: "Credit changes", payments: "Payments" }
export const KINDS = {
  TOP_UP: "Top-up",
  SPEND: "Spending",
  EARNING: "Earning",
  REFUND: "Refund",
  TRANSFER: "Transfer",
  ADJUSTMENT: "Adjustment",
  EXPIRY: "Expiry",
  OTHER: "Other",
}
export const STATUSES = {
  PENDING: "Pending",
  PAID: "Paid",
  FULFILLED: "Delivered",
  FULFILLMENT_FAILED: "Not delivered",
  CANCELED: "Canceled",
  REFUNDED: "Refunded",
  UNKNOWN: "Unknown",
}
export const DIRECTIONS = { IN: "In", OUT: "Out" }
export const BUCKETS = { MONTH: "Month", QUARTER: "Quarter", YEAR: "Year" }
export const STATES = {
  FRESH: "Fresh",
  STALE: "Stale",
  UNAVAILABLE: "Unavailable",
  UNSUPPORTED: "Not offered",
}
export const PRODUCTS = { CLOUDREVE: "Cloudreve", HOSTUP: "HostUp", CARECLOUD: "CareCloud" }

/** Returns how an account is called: by its provider, and by what tells it from its others. */
export function nameOf(account) {
  if (!account) return "an account that is new"
  const own = account.label ?? account.externalId
  return own ? `${account.provider.name} · ${own}` : account.provider.name
}

export const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`
