import { isMissing } from "./history.js"
import { nameOf, STATES } from "./words.js"

/** Says in plain words why there is no answer. */
export function Trouble({ refusal, again }) {
  if (!refusal) return null
  return (
    <div class="notice bad" role="alert">
      <p>{refusal.message}</p>
      <button onClick={() => again()}>Try again</button>
    </div>
  )
}

/** Says whose part is missing of what is shown, and why. */
export function Missing({ sources, accounts, what }) {
  const missing = sources.filter(isMissing)
  if (!missing.length) return null
  return (
    <div class="notice warn" role="status">
      <p>{what} are shown without:</p>
      <ul>
        {missing.map(source => (
          <li key={source.account.id}>
            <b>{nameOf(accounts.get(source.account.id))}</b>:{" "}
            {source.error?.message ?? "It cannot be read."}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Shows how fresh something is, in a word and in a colour. */
export const State = ({ state }) => <span class={`state ${state}`}>{STATES[state] ?? state}</span>
