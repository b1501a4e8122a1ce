import { defineConfig } from "vite"
import { page } from "../building.js"

export default defineConfig({
  ...page({
    name: "graphiql",
    path: "graphql",
    jsx: "react",
    build: {
      // "use client" in the packages is for servers that render pages.
      rolldownOptions: { checks: { moduleLevelDirective: false } },
      // The editor is one piece of 3 MB; it is loaded once for each release.
      chunkSizeWarningLimit: 4000,
    },
  }),
  worker: { format: "es" },
})
