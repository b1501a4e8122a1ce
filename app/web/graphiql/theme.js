import { useEffect } from "react"
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react"

/** Lets the editors follow the system from light to dark and back, as the rest of the page does. */
export function useSystemTheme() {
  const chosen = useGraphiQL(state => state.theme)
  const { setTheme } = useGraphiQLActions()

  useEffect(() => {
    if (chosen) return
    const dark = matchMedia("(prefers-color-scheme: dark)")
    const follow = () => setTheme(null)
    dark.addEventListener("change", follow)
    return () => dark.removeEventListener("change", follow)
  }, [chosen, setTheme])
}
