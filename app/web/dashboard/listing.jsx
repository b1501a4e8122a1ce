import { useEffect, useRef, useState } from "preact/hooks"
import { count, moment, money, sign } from "./formats.js"
import { Missing, Trouble } from "./parts.jsx"
import { filters } from "./place.js"
import { counted, KINDS, LISTS, nameOf, STATUSES } from "./words.js"

// The next page is asked for before its place is seen.
const AHEAD = "600px"
const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }

/** The merged lists of all accounts, one of them shown, read on as far as one scrolls. */
export function Listing({ accounts, history, refusal, place, go }) {
  const { list } = place
  const row = list === "changes" ? CreditChange : Payment
  return (
    <section class="listing" aria-labelledby="history">
      <h2 id="history" tabIndex={-1}>
        History
      </h2>
      <Tabs list={list} go={go} />
      <div role="tabpanel" id="panel" aria-labelledby={`tab-${list}`}>
        <Missing sources={history.sources} accounts={accounts} what={LISTS[list]} />
        {history.total !== null && (
          <p class="hint">{counted(count(history.total), "entry", "entries")} in all</p>
        )}
        <News history={history} />
        <Rows history={history} accounts={accounts} row={row} />
        <Trouble
          refusal={refusal}
          again={() => (history.hasMore ? history.more() : history.again())}
        />
        <More history={history} ending={ending(history, place)} />
      </div>
    </section>
  )
}

function ending(history, place) {
  if (history.rows.length) return "That is all."
  return filters(place) ? "There is nothing with these filters." : "There is nothing yet."
}

function Tabs({ list, go }) {
  const names = Object.keys(LISTS)
  const step = event => {
    const way = STEPS[event.key]
    if (!way) return
    event.preventDefault()
    const next = Math.min(Math.max(names.indexOf(list) + way, 0), names.length - 1)
    go({ list: names[next] })
    event.currentTarget.children[next].focus()
  }
  return (
    <div role="tablist" aria-labelledby="history" class="tabs" onKeyDown={step}>
      {names.map(name => (
        <button
          key={name}
          role="tab"
          id={`tab-${name}`}
          aria-controls="panel"
          aria-selected={name === list}
          tabIndex={name === list ? 0 : -1}
          onClick={() => go({ list: name })}
        >
          {LISTS[name]}
        </button>
      ))}
    </div>
  )
}

function Rows({ history, accounts, row: Row }) {
  return (
    <ol class="rows" aria-busy={history.isReading}>
      {history.rows.map(entry => (
        <li
          key={entry.id}
          data-entry={entry.id}
          tabIndex={-1}
          class={history.news.has(entry.id) ? "new" : ""}
        >
          <time dateTime={entry.at}>
            {moment(entry.at)}
            {entry.zoneAssumed && <small>time zone assumed</small>}
          </time>
          <Row entry={entry} />
          <span class="whose">{nameOf(accounts.get(entry.account.id))}</span>
        </li>
      ))}
    </ol>
  )
}

function CreditChange({ entry: { kind, reason, description, amount, balanceAfter } }) {
  return (
    <>
      <span class="what">
        <b>{KINDS[kind] ?? kind}</b> {reason}
        {description && description !== reason && <small>{description}</small>}
      </span>
      <span class={`sum ${sign(amount.amount) < 0 ? "out" : "in"}`}>
        <b>{money(amount, true)}</b>
        {balanceAfter && <small>then {money(balanceAfter)}</small>}
      </span>
    </>
  )
}

function Payment({ entry: { product, status, amount, quantity, reference } }) {
  return (
    <>
      <span class="what">
        <b>{STATUSES[status] ?? status}</b> {quantity > 1 && `${count(quantity)} × `}
        {product}
        {reference && <small>{reference}</small>}
      </span>
      <span class="sum">
        <b>{money(amount)}</b>
      </span>
    </>
  )
}

/** Tells of entries that came meanwhile, to whoever hears the page and whoever is further down. */
function News({ history }) {
  const [top, isSeen] = useSeen()
  const [told, setTold] = useState(0)
  const count = history.news.size
  useEffect(() => {
    if (isSeen) setTold(count)
  }, [isSeen, count])
  useEffect(() => setTold(0), [history])
  const text = count > 0 && counted(count, "new entry", "new entries")
  return (
    <>
      <div ref={top} />
      <p role="status" class="heard">
        {text}
      </p>
      {!isSeen && count > told && (
        <button class="to-top" onClick={() => top.current.scrollIntoView({ block: "center" })}>
          ↑ {counted(count - told, "new entry", "new entries")}
        </button>
      )}
    </>
  )
}

/**
 * Reads on when it comes near, unless it is in focus and would be pushed out of sight: then when it
 * is pressed, which leads to the first row that was not there before.
 */
function More({ history, ending }) {
  const button = useRef(null)
  const { rows, isReadingOn, hasMore, refusal } = history
  useEffect(() => {
    if (isReadingOn || !hasMore || refusal) return
    const told = entries => {
      const isHeld = document.activeElement === button.current
      if (entries.at(-1).isIntersecting && !isHeld) history.more()
    }
    const observer = new IntersectionObserver(told, { rootMargin: AHEAD })
    // It is told where it is at once, and so anew for each page.
    observer.observe(button.current)
    return () => observer.disconnect()
  }, [history, rows, isReadingOn, hasMore, refusal])
  const press = async () => {
    const known = history.rows.length
    await history.more()
    requestAnimationFrame(() => {
      const row = button.current?.closest("[role=tabpanel]").querySelectorAll("[data-entry]")[known]
      row?.focus()
    })
  }
  const waiting = isReadingOn ? "Reading …" : "Show more"
  return (
    <button ref={button} class="more" aria-disabled={isReadingOn || !hasMore} onClick={press}>
      {hasMore ? waiting : ending}
    </button>
  )
}

function useSeen() {
  const element = useRef(null)
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    const told = entries => setSeen(entries.at(-1).isIntersecting)
    const observer = new IntersectionObserver(told)
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return [element, isSeen]
}
