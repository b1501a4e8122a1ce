/**
 * One list of a customer as far as it was read: the API's rows in the API's order, none twice.
 *
 * `read(after, how)` asks for the page after a cursor. `changed()` is called after every change.
 */
export class History {
  rows = []
  sources = []
  /** How many rows there are in all; null until that is known. */
  total = null
  hasMore = true
  isReading = false
  /** Whether the next page is on its way; what is known may be read again besides. */
  isReadingOn = false
  refusal = null
  /** The ids of rows that came after the first page was read, and above what was known. */
  news = new Set()

  #read
  #changed
  #cursor = null
  #turn = Promise.resolve()
  #closing = new AbortController()

  constructor(read, changed) {
    this.#read = read
    this.#changed = changed
  }

  /** Read the next page. */
  more() {
    if (this.isReadingOn || !this.hasMore) return this.#turn
    this.isReadingOn = true
    return this.#inTurn(() => this.#more().finally(() => (this.isReadingOn = false)))
  }

  /** Read the first page again, and on down to an instant where something changed. */
  again({ until = Infinity, anew = false } = {}) {
    // What is below all rows comes with a later page, if there is one.
    const depth = () => (this.hasMore ? Math.max(until, this.#oldest()) : until)
    return this.#inTurn(() => this.#again(depth(), anew))
  }

  close() {
    this.#closing.abort()
  }

  async #more() {
    if (!this.hasMore) return // any more: it was read to its end meanwhile
    const page = await this.#page(this.#cursor)
    const known = new Set(this.rows.map(row => row.id))
    this.rows = [...this.rows, ...page.nodes.filter(row => !known.has(row.id))]
    this.#end(page)
    if (this.#tell(page)) await this.#again(this.#oldest())
  }

  async #again(down, anew = false) {
    const head = []
    let page
    let cursor = null
    do {
      page = await this.#page(cursor, anew && cursor === null)
      head.push(...page.nodes)
      cursor = page.pageInfo.endCursor
      // A provider that is back has rows everywhere, not only where the list goes on.
      if (this.#tell(page)) down = this.#oldest()
    } while (page.pageInfo.hasNextPage && Date.parse(head.at(-1)?.at) >= down)
    this.#putOnTop(head, page)
  }

  #putOnTop(head, page) {
    const known = new Set(this.rows.map(row => row.id))
    const told = new Set(head.map(row => row.id))
    const last = this.rows.findLastIndex(row => told.has(row.id))
    // Without a row in common there may be others between them, so what was known is left.
    const rest = last < 0 || !page.pageInfo.hasNextPage ? [] : this.rows.slice(last + 1)
    if (known.size) for (const row of head) if (!known.has(row.id)) this.news.add(row.id)
    this.rows = [...head, ...rest]
    if (!rest.length) this.#end(page)
  }

  #end(page) {
    this.#cursor = page.pageInfo.endCursor
    this.hasMore = page.pageInfo.hasNextPage
  }

  /** Keep what a page says of the whole list; tells whether a source is back that was missing. */
  #tell(page) {
    const missing = new Set(this.sources.filter(isMissing).map(source => source.account.id))
    this.sources = page.sources
    this.total = page.totalCount
    return page.sources.some(source => missing.has(source.account.id) && !isMissing(source))
  }

  #oldest() {
    return Date.parse(this.rows.at(-1)?.at)
  }

  #page(after, anew = false) {
    return this.#read(after, { anew, signal: this.#closing.signal })
  }

  #inTurn(step) {
    this.#turn = this.#turn.then(async () => {
      if (this.#closing.signal.aborted) return
      this.isReading = true
      this.#changed()
      try {
        await step()
        this.refusal = null
      } catch (error) {
        if (this.#closing.signal.aborted) return
        this.refusal = error
      }
      this.isReading = false
      this.#changed()
    })
    return this.#turn
  }
}

export const isMissing = source => source.state === "UNAVAILABLE"
