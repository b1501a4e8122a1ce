import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks"
import { ask } from "./api.js"
import { History } from "./history.js"
import creditChanges from "./documents/credit_changes.graphql?raw"
import payments from "./documents/payments.graphql?raw"

const NOTHING = { data: null, refusal: null }
const DOCUMENTS = { changes: creditChanges, payments }

/**
 * Asks, and asks again when `again` is called; `data` is null until there is an answer, then it is
 * that of the last one.
 */
export function useAnswer(document, variables, token) {
  const [answer, setAnswer] = useState(NOTHING)
  const asking = useRef(null)
  const key = JSON.stringify(variables)
  const again = useCallback(
    async how => {
      asking.current?.abort()
      const { signal } = (asking.current = new AbortController())
      try {
        const data = await ask(document, JSON.parse(key), { ...how, token, signal })
        if (!signal.aborted) setAnswer({ data, refusal: null })
      } catch (refusal) {
        if (!signal.aborted) setAnswer(before => ({ ...before, refusal }))
      }
    },
    [document, key, token],
  )
  useEffect(() => {
    setAnswer(NOTHING)
    again()
    return () => asking.current.abort()
  }, [again])
  return { ...answer, again }
}

/** Returns a list of a customer's, its first page on the way; another one for another filter. */
export function useHistory(list, reference, filter, token) {
  const [, changed] = useReducer(turn => turn + 1, 0)
  const key = JSON.stringify(filter)
  const history = useMemo(() => {
    const read = async (after, how) => {
      const variables = { reference, after, filter: JSON.parse(key) }
      const { customer } = await ask(DOCUMENTS[list], variables, { ...how, token })
      return customer.list
    }
    return new History(read, changed)
  }, [list, reference, key, token])
  useEffect(() => {
    history.more()
    return () => history.close()
  }, [history])
  return history
}
