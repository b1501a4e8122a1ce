import { moment, money, sign } from "./formats.js"
import { State, Trouble } from "./parts.jsx"
import { Failure } from "./sources.jsx"
import { nameOf } from "./words.js"

/** What each account holds, and whether its history adds up to it. */
export function Balances({ accounts, answer: { data, again }, refusal }) {
  const balances = data?.customer.balances.filter(
    one => one.state !== "UNSUPPORTED" || one.computed,
  )
  return (
    <section aria-labelledby="balances">
      <h2 id="balances">Balances</h2>
      <Trouble refusal={refusal} again={again} />
      {!data && !refusal && <p class="hint">Reading …</p>}
      <ul class="cards">
        {balances?.map(one => (
          <Balance key={keyOf(one)} balance={one} name={nameOf(accounts.get(one.account.id))} />
        ))}
      </ul>
      {balances && !balances.length && <p class="hint">No account tells a balance.</p>}
    </section>
  )
}

const keyOf = ({ account, reported, computed }) => `${account.id} ${(reported ?? computed)?.unit}`

function Balance({ balance: { reported, computed, drift, readAt, state, error }, name }) {
  return (
    <li class="card balance">
      <h3>{name}</h3>
      <p class="figure">{reported ? money(reported) : "—"}</p>
      <dl>
        <dt>History adds up to</dt>
        <dd>{computed ? money(computed) : "not known yet"}</dd>
        <dt>Drift</dt>
        <dd class={drift && sign(drift.amount) ? "drift" : ""}>
          {drift ? money(drift, true) : "not known yet"}
        </dd>
      </dl>
      <p>
        <State state={state} /> <span class="hint">{readAt && moment(readAt)}</span>
      </p>
      <Failure error={error} />
    </li>
  )
}
