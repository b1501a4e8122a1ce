import balances from "./examples/balances.graphql?raw"
import creditHistory from "./examples/credit_history.graphql?raw"
import creditOverTime from "./examples/credit_over_time.graphql?raw"
import newCreditChanges from "./examples/new_credit_changes.graphql?raw"
import payments from "./examples/payments.graphql?raw"

const written = variables => JSON.stringify(variables, null, 2)
// A customer of the demonstration.
const reference = "C-1001"

/** One tab each. */
export const EXAMPLES = [
  { query: creditHistory, variables: written({ reference, after: null }) },
  { query: payments, variables: written({ reference, after: null }) },
  { query: balances, variables: written({ reference }) },
  { query: creditOverTime, variables: written({ reference, from: "2026-01-01T00:00:00Z" }) },
  { query: newCreditChanges, variables: written({ reference }) },
]
