/**
 * Returns how a page is built into `built/<name>/`, to be served at `/<path>`.
 *
 * Its files are named from there, below whatever a proxy puts before it.
 */
export const page = ({ name, path, jsx, build }) => ({
  base: "./",
  build: {
    outDir: `../built/${name}`,
    emptyOutDir: true,
    assetsDir: `${path}/assets`,
    // Nothing is written into the page or the styles that is not a file: the policy allows no data.
    assetsInlineLimit: 0,
    license: { fileName: "licenses.md" },
    modulePreload: { polyfill: false },
    target: "es2022",
    ...build,
  },
  oxc: { jsx: { runtime: "automatic", importSource: jsx } },
})
