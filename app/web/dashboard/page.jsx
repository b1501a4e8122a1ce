import { render } from "preact"
import { App } from "./app.jsx"
import "./page.css"
import "./customer.css"
import "./listing.css"

render(<App />, document.getElementById("page"))
