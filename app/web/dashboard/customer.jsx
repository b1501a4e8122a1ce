import { useCallback, useEffect, useMemo, useRef } from "preact/hooks"
import { useAnswer, useHistory } from "./answers.js"
import { Balances } from "./balances.jsx"
import { Charts } from "./charts.jsx"
import balancesOf from "./documents/balances.graphql?raw"
import customerOf from "./documents/customer.graphql?raw"
import summaryOf from "./documents/summary.graphql?raw"
import { Filters } from "./filters.jsx"
import { timeZone } from "./formats.js"
import { Listing } from "./listing.jsx"
import { STATES, useLive } from "./live.js"
import { Trouble } from "./parts.jsx"
import { filterOf } from "./place.js"
import { Sources } from "./sources.jsx"

// Events come in bursts, and each asks for the same.
const GATHER_MS = 300
// As long as a history is usually fresh: then the sources may have something else to say.
const USUAL_MS = 60_000

/** Everything of one customer, kept up to date. */
export function Customer({ reference, token, place, go }) {
  const { list, by } = place
  const customer = useAnswer(customerOf, { reference }, token)
  const balances = useAnswer(balancesOf, { reference }, token)
  const asked = { reference, bucket: by, timeZone: timeZone(), filter: filterOf(place, "changes") }
  const summary = useAnswer(summaryOf, asked, token)
  const history = useHistory(list, reference, filterOf(place, list), token)
  const again = how => {
    for (const answer of [customer, balances, summary]) answer.again(how)
    return history.again(how)
  }
  const live = useLive(reference, list, token, useGathered(again))
  useTicking(again)
  useComputed(summary.data, balances)
  const shown = customer.data?.customer
  const accounts = useMemo(
    () => new Map(shown?.accounts.map(account => [account.id, account])),
    [shown],
  )
  const name = shown?.displayName ?? reference
  useEffect(() => {
    document.title = `${name} · Credit Gateway`
  }, [name])
  const trouble = <Trouble refusal={customer.refusal} again={again} />
  if (!shown) return customer.refusal ? trouble : <p class="hint">Reading …</p>
  // What keeps everything from being answered is said once.
  const own = refusal => (refusal?.code === customer.refusal?.code ? null : refusal)
  const found = summary.data?.customer.creditSummary
  return (
    <>
      {trouble}
      <div class="title">
        <h1>
          {name} <small>{shown.displayName && reference}</small>
        </h1>
        <span class={`going ${live}`}>{STATES[live]}</span>
        <button onClick={() => again({ anew: true })}>Read anew</button>
      </div>
      <Filters
        place={place}
        go={go}
        accounts={accounts}
        units={unitsOf(balances.data, found, place)}
      />
      <div class="beside">
        <Sources accounts={accounts} sources={history.sources} list={list} />
        <Balances accounts={accounts} answer={balances} refusal={own(balances.refusal)} />
      </div>
      <Charts
        accounts={accounts}
        summary={found}
        refusal={own(summary.refusal)}
        again={summary.again}
        by={by}
        go={go}
      />
      <Listing
        accounts={accounts}
        history={history}
        refusal={own(history.refusal)}
        place={place}
        go={go}
      />
    </>
  )
}

/** Returns a function that calls another one with the earliest time of a burst of calls. */
function useGathered(again) {
  const latest = useRef(again)
  latest.current = again
  const burst = useRef(null)
  useEffect(() => () => clearTimeout(burst.current?.timer), [])
  return useCallback(at => {
    const until = Math.min(burst.current?.until ?? Infinity, at ? Date.parse(at) : Infinity)
    clearTimeout(burst.current?.timer)
    const timer = setTimeout(() => {
      burst.current = null
      latest.current({ until })
    }, GATHER_MS)
    burst.current = { until, timer }
  }, [])
}

/** Calls a function now and then while the page is seen, and when it is seen again. */
function useTicking(again) {
  const latest = useRef(again)
  latest.current = again
  useEffect(() => {
    const tick = () => {
      if (!document.hidden) latest.current()
    }
    const timer = setInterval(tick, USUAL_MS)
    document.addEventListener("visibilitychange", tick)
    return () => {
      clearInterval(timer)
      document.removeEventListener("visibilitychange", tick)
    }
  }, [])
}

/** Asks for balances again once a summary has read the histories that they are compared with. */
function useComputed(data, balances) {
  useEffect(() => {
    const isOpen = balances.data?.customer.balances.some(one => one.reported && !one.computed)
    if (data && isOpen) balances.again()
  }, [data])
}

function unitsOf(balances, summary, place) {
  const held = balances?.customer.balances.flatMap(one => [one.reported, one.computed]) ?? []
  const units = [...held, ...(summary?.units ?? [])].filter(Boolean).map(one => one.unit)
  return [...new Set([...units, place.unit].filter(Boolean))].sort()
}
