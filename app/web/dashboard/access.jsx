import { useState } from "preact/hooks"

// Gone with the browser's tab.
const KEY = "credit-gateway:token"
// What a header may carry, and so every token.
const SENDABLE = "[\\x21-\\x7e]+"

export function useToken() {
  const [token, setToken] = useState(() => sessionStorage.getItem(KEY) ?? "")
  const keep = given => {
    if (given) sessionStorage.setItem(KEY, given)
    else sessionStorage.removeItem(KEY)
    setToken(given)
  }
  return [token, keep]
}

/** Takes a token or an API key, open where one is asked for. */
export function Access({ token, keep, isAskedFor }) {
  const give = event => {
    event.preventDefault()
    const form = event.currentTarget
    keep(form.elements.token.value.trim())
    form.reset()
  }
  return (
    <details class="access" open={isAskedFor}>
      <summary>{token ? "Token: given" : "Token: none"}</summary>
      <form onSubmit={give}>
        <label class="field">
          Token or API key
          <input
            name="token"
            type="password"
            autocomplete="off"
            spellcheck={false}
            required
            pattern={SENDABLE}
            title="letters, digits and signs without spaces"
          />
        </label>
        <button>Use it</button>
        {token && (
          <button type="button" onClick={() => keep("")}>
            Forget it
          </button>
        )}
        <p class="hint">It is kept in this tab alone, until the tab is closed.</p>
      </form>
    </details>
  )
}
