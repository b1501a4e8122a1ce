import { defineConfig } from "vite"
import { page } from "../building.js"

export default defineConfig(
  page({
    name: "dashboard",
    path: "dashboard",
    jsx: "preact",
    // The first browsers that have `light-dark()`; they all take decimal strings in `Intl`.
    build: { cssTarget: ["chrome123", "firefox120", "safari17.5"] },
  }),
)
