import { useEffect, useRef } from "react"
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react"

/** What the headers editor shows before anything is written there. */
export const HINT = `// Where a token or an API key is needed, put it here:
// {"Authorization": "Bearer …"}
`

// Long enough to write on without a request for each letter.
const PAUSE_MS = 500

/**
 * Shows the headers that were last used in each tab that has none of its own, and asks for the
 * schema again when they change while there is none. It draws nothing.
 */
export function Headers() {
  const editor = useGraphiQL(state => state.headerEditor)
  const tab = useGraphiQL(state => state.activeTabIndex)
  const hasSchema = useGraphiQL(state => Boolean(state.schema))
  const { introspect } = useGraphiQLActions()
  const last = useRef("")

  useEffect(() => {
    if (editor && last.current && editor.getValue() === HINT) editor.setValue(last.current)
  }, [editor, tab])

  useEffect(() => {
    if (!editor) return
    let pause
    const listening = editor.onDidChangeModelContent(() => {
      const headers = editor.getValue()
      if (headers === HINT) return
      last.current = headers
      clearTimeout(pause)
      if (!hasSchema) pause = setTimeout(introspect, PAUSE_MS)
    })
    return () => {
      clearTimeout(pause)
      listening.dispose()
    }
  }, [editor, hasSchema, introspect])

  return null
}
