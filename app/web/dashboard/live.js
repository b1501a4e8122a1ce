import { useEffect, useRef, useState } from "preact/hooks"
import { createClient } from "graphql-ws"
import { SOCKET } from "./api.js"
import creditChangeAdded from "./documents/credit_change_added.graphql?raw"
import paymentChanged from "./documents/payment_changed.graphql?raw"

const DOCUMENTS = { changes: creditChangeAdded, payments: paymentChanged }
// A connection through which nothing comes is found out within both together.
const PING_MS = 15_000
const PONG_MS = 10_000
// As long as it takes a gateway to start again, and not all pages at once.
const AGAIN_MS = 2_000
const SLOWEST_AGAIN_MS = 30_000
const FORBIDDEN = 4403
const HOPELESS = new Set(["NOT_FOUND", "UNAUTHENTICATED", "FORBIDDEN", "DOCUMENT_NOT_TRUSTED"])

const pause = milliseconds => new Promise(over => setTimeout(over, milliseconds))
const soon = tries =>
  pause(Math.min(AGAIN_MS * 2 ** tries, SLOWEST_AGAIN_MS) * (0.5 + Math.random()))
const isHopeless = error =>
  error?.code === FORBIDDEN || error?.some?.(one => HOPELESS.has(one.extensions?.code))

/**
 * Listens to a customer's lists until the function that it returns is called.
 *
 * `told(at)` has the time of an entry that is new or changed, or nothing when the connection is
 * new, so that there may have been entries before it. `changed(state)` has one of `STATES`.
 */
export function listen({ reference, lists, token, told, changed }) {
  let isOver = false
  const client = createClient({
    url: SOCKET.href,
    connectionParams: token ? { Authorization: `Bearer ${token}` } : {},
    retryAttempts: Infinity,
    retryWait: soon,
    // What is no closing is a network that was not there.
    shouldRetry: event => event.code !== FORBIDDEN,
    keepAlive: PING_MS,
    on: watched(() => client.terminate(), {
      connected() {
        changed("live")
        told()
      },
      closed() {
        if (!isOver) changed("waiting")
      },
    }),
  })
  for (const list of lists) follow(list)
  return () => {
    isOver = true
    // It rejects where there was no connection to close.
    client.dispose().catch(() => {})
  }

  async function follow(list) {
    const payload = { query: DOCUMENTS[list], variables: { reference } }
    for (let tries = 0; !isOver; tries++) {
      const error = await new Promise(over => {
        const next = ({ data }) => {
          tries = 0
          if (data) told(data.entry.at)
        }
        client.subscribe(payload, { next, error: over, complete: over })
      })
      if (isOver) return
      if (isHopeless(error)) return changed("refused")
      await soon(tries)
    }
  }
}

/** Adds to what is heard of a connection that it is ended when a ping is not answered. */
function watched(terminate, events) {
  let patience
  return {
    ...events,
    ping: received => {
      if (!received) patience = setTimeout(terminate, PONG_MS)
    },
    pong: received => {
      if (received) clearTimeout(patience)
    },
    closed: () => {
      clearTimeout(patience)
      events.closed()
    },
  }
}

export const STATES = {
  connecting: "Connecting …",
  live: "Live",
  waiting: "Connecting again …",
  refused: "Not live: the gateway does not let this page listen",
}

/** Returns how the listening is going, one of `STATES`; `told` may be another one each time. */
export function useLive(reference, list, token, told) {
  const [state, setState] = useState("connecting")
  const latest = useRef(told)
  latest.current = told
  useEffect(() => {
    setState("connecting")
    return listen({
      reference,
      // The charts and balances are of credit changes, whichever list is shown.
      lists: list === "changes" ? ["changes"] : ["changes", list],
      token,
      told: at => latest.current(at),
      changed: setState,
    })
  }, [reference, list, token])
  return state
}
