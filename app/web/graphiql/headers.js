import { useEffect, useRef } from "react"
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react"

/** What the headers editor shows before anything is written there. */
export const HINT = `// A token or an API key goes here:
// {"Authorization": "Bearer …"}
`

// Long enough to write on without a request for each letter.
const PAUSE_MS = 500

/** Shows the headers that were used last in each tab that has none of its own. */
export function useSameHeaders() {
  const editor = useGraphiQL(state => state.headerEditor)
  const tab = useGraphiQL(state => state.activeTabIndex)
  const last = useRef("")

  useEffect(() => {
    if (!editor) return
    if (last.current && editor.getValue() === HINT) editor.setValue(last.current)
    const listening = editor.onDidChangeModelContent(() => {
      const headers = editor.getValue()
      if (headers !== HINT) last.current = headers
    })
    return () => listening.dispose()
  }, [editor, tab])
}

/** Asks for the schema again when the headers change while there is none. */
export function useSchemaOnceAllowed() {
  const editor = useGraphiQL(state => state.headerEditor)
  const hasSchema = useGraphiQL(state => Boolean(state.schema))
  const { introspect } = useGraphiQLActions()

  useEffect(() => {
    if (!editor || hasSchema) return
    let pause
    const listening = editor.onDidChangeModelContent(() => {
      clearTimeout(pause)
      pause = setTimeout(introspect, PAUSE_MS)
    })
    return () => {
      clearTimeout(pause)
      listening.dispose()
    }
  }, [editor, hasSchema, introspect])
}
