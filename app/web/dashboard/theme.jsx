import { useEffect, useState } from "preact/hooks"

const KEY = "credit-gateway:theme"
const THEMES = { system: "System", light: "Light", dark: "Dark" }

/** Chooses between light and dark; the system's own choice is followed until then. */
export function Theme() {
  const [theme, setTheme] = useState(() => localStorage.getItem(KEY) ?? "system")
  useEffect(() => {
    document.documentElement.dataset.theme = theme
    localStorage.setItem(KEY, theme)
  }, [theme])
  return (
    <label class="field">
      Colours
      <select value={theme} onChange={event => setTheme(event.currentTarget.value)}>
        {Object.entries(THEMES).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
