import { useEffect, useState } from "preact/hooks"
import { ask } from "./api.js"
import { Trouble } from "./parts.jsx"
import { useAnswer } from "./answers.js"
import customers from "./documents/customers.graphql?raw"
import { written } from "./place.js"

// Long enough to write on without a request for each letter.
const PAUSE_MS = 250

/** Goes to a customer by reference; what is written is also looked for in references and names. */
export function Search({ reference, token, go }) {
  const [search, setSearch] = useState(reference ?? "")
  const [found, setFound] = useState([])
  useEffect(() => setSearch(reference ?? ""), [reference])
  useEffect(() => {
    if (!search.trim() || search === reference) return
    const asking = new AbortController()
    const look = async () => {
      const data = await ask(customers, { search: search.trim() }, { token, signal: asking.signal })
      setFound(data.customers.nodes)
    }
    // It only suggests; going to the customer says what is wrong.
    const soon = setTimeout(() => look().catch(() => setFound([])), PAUSE_MS)
    return () => {
      clearTimeout(soon)
      asking.abort()
    }
  }, [search, reference, token])
  const leave = event => {
    event.preventDefault()
    if (search.trim()) go({ customer: search.trim() })
  }
  return (
    <form role="search" class="search" onSubmit={leave}>
      <label class="field">
        Customer
        <input
          type="search"
          list="found"
          value={search}
          required
          autocomplete="off"
          spellcheck={false}
          placeholder="Reference or name"
          onInput={event => setSearch(event.currentTarget.value)}
        />
      </label>
      <datalist id="found">
        {found.map(customer => (
          <option key={customer.reference} value={customer.reference}>
            {customer.displayName}
          </option>
        ))}
      </datalist>
      <button>Show</button>
    </form>
  )
}

/** Lists the customers that may be seen, a page at a time. */
export function Customers({ token, go }) {
  const [before, setBefore] = useState([])
  const after = before.at(-1)?.pageInfo.endCursor ?? null
  const { data, refusal, again } = useAnswer(customers, { search: null, after }, token)
  const pages = data ? [...before, data.customers] : before
  const show = event => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    // The link that is in focus goes with the list.
    event.currentTarget.closest("main").focus()
    go({ customer: event.currentTarget.dataset.reference })
  }
  return (
    <section>
      <h1>Customers</h1>
      <Trouble refusal={refusal} again={again} />
      <ul class="customers">
        {pages
          .flatMap(page => page.nodes)
          .map(({ reference, displayName }) => (
            <li key={reference}>
              <a href={written({ customer: reference })} data-reference={reference} onClick={show}>
                {reference}
              </a>{" "}
              {displayName}
            </li>
          ))}
      </ul>
      {data && !data.customers.nodes.length && <p>There is no customer that may be seen here.</p>}
      {data?.customers.pageInfo.hasNextPage && (
        <button onClick={() => setBefore(pages)}>Show more customers</button>
      )}
    </section>
  )
}
