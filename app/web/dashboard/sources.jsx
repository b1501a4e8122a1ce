import { day, moment } from "./formats.js"
import { State } from "./parts.jsx"
import { LISTS, nameOf, PRODUCTS } from "./words.js"

const TROUBLES = {
  DOWN: "The gateway has not been asking it",
  DEGRADED: "It has been failing now and then",
}

/** One card for each account: how far its part of the list can be trusted, and why. */
export function Sources({ accounts, sources, list }) {
  const source = new Map(sources.map(one => [one.account.id, one]))
  return (
    <section aria-labelledby="sources">
      <h2 id="sources">Sources of {LISTS[list].toLowerCase()}</h2>
      <ul class="cards">
        {[...accounts.values()].map(account => (
          <Source key={account.id} account={account} source={source.get(account.id)} />
        ))}
      </ul>
      {!accounts.size && <p class="hint">This customer has no account at any provider.</p>}
    </section>
  )
}

function Source({ account, source }) {
  const { provider } = account
  return (
    <li class={`card ${source?.state ?? ""}`} data-account={account.id}>
      <h3>{nameOf(account)}</h3>
      <p class="hint">
        {PRODUCTS[provider.kind] ?? provider.kind}
        {account.externalId && ` ${account.externalId}`}
      </p>
      {source ? (
        <>
          <p>
            <State state={source.state} />
          </p>
          <p>{freshness(source)}</p>
          <p class="hint">{depth(source)}</p>
          <Failure error={source.error} />
        </>
      ) : (
        <p class="hint">Not asked for with these filters.</p>
      )}
      {TROUBLES[provider.state] && (
        <p class="warn">
          {TROUBLES[provider.state]}
          {provider.since && ` since ${moment(provider.since)}`}.
        </p>
      )}
      {account.status === "NEEDS_RELINK" && (
        <p class="warn">It refuses the credentials that are stored. Link the account again.</p>
      )}
    </li>
  )
}

/** Says why something could not be read. */
export function Failure({ error }) {
  if (!error) return null
  return (
    <p class="warn">
      {error.message} <code>{error.code}</code>
      {error.retryAt && ` It is not asked again before ${moment(error.retryAt)}.`}
    </p>
  )
}

function freshness({ state, readAt }) {
  if (state === "UNSUPPORTED") return "The provider has no such list."
  if (state === "UNAVAILABLE")
    return readAt ? `Last read ${moment(readAt)}.` : "Nothing of it is known."
  return readAt && (state === "STALE" ? `As it was ${moment(readAt)}.` : `Read ${moment(readAt)}.`)
}

function depth({ complete, completeFrom }) {
  if (complete) return "Known to its beginning."
  return completeFrom && `Known from ${day(completeFrom)} on.`
}
