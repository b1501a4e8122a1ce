// The page is beside the API, whatever a proxy puts before their paths.
const ENDPOINT = new URL("graphql", location.href.split("?")[0])
export const SOCKET = new URL(ENDPOINT)
SOCKET.protocol = ENDPOINT.protocol.replace("http", "ws")

const WORDS = {
  UNREACHABLE: "The gateway cannot be reached. Check the connection, then try again.",
  UNREADABLE: "What answered is not the gateway. Something between it and this page may be wrong.",
  UNAUTHENTICATED: "The gateway asks for a token, or does not accept the one that it was given.",
  FORBIDDEN: "The token does not allow this.",
  NOT_FOUND: "There is no such customer, or the token does not allow to see it.",
  RATE_LIMITED: "That was too much at once. Wait a moment, then try again.",
  DEADLINE_EXCEEDED: "This took too long. Try again: what was read meanwhile is kept.",
  COST_LIMIT_EXCEEDED: "The gateway is set up to refuse a question as large as this one.",
  DOCUMENT_NOT_TRUSTED: "The gateway answers only questions that it knows, and not this page's.",
  INTERNAL: "Something went wrong in the gateway; its log says what.",
}

/** Why there is no answer: a `code` for the page, and a message in plain words. */
export class Refusal extends Error {
  constructor(code, told) {
    super(WORDS[code] ?? told ?? `The gateway refuses this: ${code}.`)
    this.code = code
  }

  static of(error) {
    return new Refusal(error?.extensions?.code ?? "UNREADABLE", error?.message)
  }
}

/**
 * Resolves to the `data` of an answer, which may be a part of what was asked: what is missing of a
 * list, the list's sources say. Rejects with a `Refusal`, or as `signal` was aborted.
 *
 * With `anew` the gateway asks the providers instead of telling what it knows.
 */
export async function ask(document, variables, { token, signal, anew } = {}) {
  const response = await sent({
    method: "POST",
    headers: {
      Accept: "application/graphql-response+json",
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(anew && { "Cache-Control": "no-cache" }),
    },
    body: JSON.stringify({ query: document, variables }),
    signal,
  })
  const { data, errors } = await response.json().catch(() => {
    signal?.throwIfAborted()
    throw new Refusal("UNREADABLE")
  })
  if (!data) throw Refusal.of(errors?.[0])
  if ("customer" in data && !data.customer)
    throw errors ? Refusal.of(errors[0]) : new Refusal("NOT_FOUND")
  return data
}

async function sent(request) {
  try {
    return await fetch(ENDPOINT, request)
  } catch (error) {
    request.signal?.throwIfAborted()
    throw new Refusal("UNREACHABLE")
  }
}
