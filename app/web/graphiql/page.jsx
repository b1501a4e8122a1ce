import { createRoot } from "react-dom/client"
import { GraphiQL } from "graphiql"
import { createGraphiQLFetcher } from "@graphiql/toolkit"
import "./workers.js"
import { EXAMPLES } from "./examples.js"
import { HINT, useSameHeaders, useSchemaOnceAllowed } from "./headers.js"
import { useSystemTheme } from "./theme.js"
import "@graphiql/react/style.css"
import "@graphiql/plugin-doc-explorer/style.css"
import "graphiql/graphiql.css"
import "./page.css"

// The page is where the API is, whatever a proxy puts before its path.
const here = new URL(location.pathname, location.href)
const socket = new URL(here)
socket.protocol = here.protocol.replace("http", "ws")

const fetcher = createGraphiQLFetcher({
  url: here.href,
  // The headers of the editor are sent as the payload of connection_init.
  subscriptionUrl: socket.href,
  enableIncrementalDelivery: false,
})

// Variables can be credentials: what is typed is kept until the browser's tab is closed, and the
// headers not even so long. GraphiQL opens the first tab without its variables, so they are told.
const isNew = sessionStorage.getItem("graphiql:tabState") === null

// It would keep the headers of each request, whatever is said below.
const NO_HISTORY = []

function Name() {
  useSameHeaders()
  useSchemaOnceAllowed()
  useSystemTheme()
  return "Credit Gateway"
}

createRoot(document.getElementById("page")).render(
  <GraphiQL
    fetcher={fetcher}
    storage={sessionStorage}
    defaultTabs={EXAMPLES.map(example => ({ ...example, headers: HINT }))}
    initialVariables={isNew ? EXAMPLES[0].variables : undefined}
    defaultHeaders={HINT}
    shouldPersistHeaders={false}
    defaultEditorToolsVisibility="variables"
    plugins={NO_HISTORY}
    schemaDescription
    inputValueDeprecation
  >
    <GraphiQL.Logo>
      <Name />
    </GraphiQL.Logo>
  </GraphiQL>,
)
