import { useCallback, useEffect, useState } from "preact/hooks"
import { BUCKETS, DIRECTIONS, KINDS, LISTS, STATUSES } from "./words.js"

// What is shown is in the address, so that it can be kept, sent and gone back to.
const ONE = {
  customer: null,
  list: LISTS,
  by: BUCKETS,
  from: /^\d{4}-\d\d-\d\d$/,
  to: /^\d{4}-\d\d-\d\d$/,
  direction: DIRECTIONS,
  unit: null,
  min: /^-?\d+(\.\d+)?$/,
  max: /^-?\d+(\.\d+)?$/,
  text: null,
}
const MANY = { provider: null, kind: KINDS, status: STATUSES }
const USUAL = { list: "changes", by: "MONTH" }

const isGood = (rule, value) =>
  Boolean(value) &&
  (rule === null || (rule instanceof RegExp ? rule.test(value) : Object.hasOwn(rule, value)))

/** Reads what is shown out of a query string; what it may not say is left out. */
export function read(search) {
  const said = new URLSearchParams(search)
  const place = { ...USUAL }
  for (const [name, rule] of Object.entries(ONE)) {
    if (isGood(rule, said.get(name))) place[name] = said.get(name)
  }
  for (const [name, rule] of Object.entries(MANY)) {
    place[name] = said.getAll(name).filter(value => isGood(rule, value))
  }
  return place
}

/** Writes it as a query string, without what is as usual. */
export function written(place) {
  const said = new URLSearchParams()
  for (const name of [...Object.keys(ONE), ...Object.keys(MANY)]) {
    if (place[name] === USUAL[name]) continue
    for (const value of [place[name] ?? []].flat()) if (value) said.append(name, value)
  }
  return said.size ? `?${said}` : ""
}

/** Returns what is shown, and what changes a part of it; one can go back to another customer. */
export function usePlace() {
  const [place, setPlace] = useState(() => read(location.search))
  useEffect(() => {
    const follow = () => setPlace(read(location.search))
    addEventListener("popstate", follow)
    return () => removeEventListener("popstate", follow)
  }, [])
  const go = useCallback(change => {
    setPlace(before => {
      const after = read(written({ ...before, ...change }))
      const isStep = after.customer !== before.customer
      history[isStep ? "pushState" : "replaceState"](null, "", location.pathname + written(after))
      return after
    })
  }, [])
  return [place, go]
}

/** The names of filters, for telling whether one is set and for setting none. */
export const NO_FILTERS = {
  from: null,
  to: null,
  direction: null,
  unit: null,
  min: null,
  max: null,
  text: null,
  provider: [],
  kind: [],
  status: [],
}
export const filters = place =>
  Object.keys(NO_FILTERS).filter(name => [place[name] ?? []].flat().length).length

const midnight = (date, daysLater = 0) => {
  const day = new Date(`${date}T00:00`)
  day.setDate(day.getDate() + daysLater)
  return Number.isNaN(day.getTime()) ? undefined : day.toISOString()
}
const some = values => (values.length ? values : undefined)

/** Returns a list's filter as the API takes it, from the viewer's days; null where none is set. */
export function filterOf(place, list) {
  const filter = {
    from: place.from && midnight(place.from),
    to: place.to && midnight(place.to, 1),
    providers: some(place.provider),
    unit: place.unit,
    minAmount: place.min,
    maxAmount: place.max,
    text: place.text,
    ...(list === "payments"
      ? { statuses: some(place.status) }
      : { kinds: some(place.kind), direction: place.direction }),
  }
  const set = Object.entries(filter).filter(([, value]) => value)
  return set.length ? Object.fromEntries(set) : null
}
