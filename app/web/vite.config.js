import { defineConfig } from "vite"

export default defineConfig({
  root: "graphiql",
  // The page's own address is /graphql, below whatever a proxy puts before it.
  base: "./",
  build: {
    outDir: "../built",
    emptyOutDir: true,
    assetsDir: "graphql/assets",
    // Nothing is written into the page or the styles that is not a file: the policy allows no data.
    assetsInlineLimit: 0,
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
    // "use client" in the packages is for servers that render pages.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
    target: "es2022",
    // The editor is one piece of 3 MB; it is loaded once for each release.
    chunkSizeWarningLimit: 4000,
  },
  oxc: { jsx: { runtime: "automatic" } },
  worker: { format: "es" },
})
