import { useEffect } from "preact/hooks"
import { Access, useToken } from "./access.jsx"
import { useAnswer } from "./answers.js"
import { Customer } from "./customer.jsx"
import { Customers, Search } from "./customers.jsx"
import viewer from "./documents/viewer.graphql?raw"
import { Trouble } from "./parts.jsx"
import { usePlace } from "./place.js"
import { Theme } from "./theme.jsx"

/** The whole page: who asks, which customer, and what is known of it. */
export function App() {
  const [place, go] = usePlace()
  const [token, keep] = useToken()
  const { data, refusal, again } = useAnswer(viewer, {}, token)
  const reference = place.customer ?? data?.viewer.customer?.reference
  useEffect(() => {
    if (!reference) document.title = "Credit Gateway"
  }, [reference])
  return (
    <>
      <a class="skip" href="#main">
        Skip to the customer
      </a>
      {reference && (
        <a class="skip" href="#history">
          Skip to the history
        </a>
      )}
      <header>
        <p class="name">Credit Gateway</p>
        {data && <Search reference={reference} token={token} go={go} />}
        <div class="settings">
          <Theme />
          <Access token={token} keep={keep} isAskedFor={refusal?.code === "UNAUTHENTICATED"} />
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        <Trouble refusal={refusal} again={again} />
        {data && !reference && <Customers key={token} token={token} go={go} />}
        {data && reference && (
          <Customer
            key={`${token} ${reference}`}
            reference={reference}
            token={token}
            place={place}
            go={go}
          />
        )}
      </main>
    </>
  )
}
