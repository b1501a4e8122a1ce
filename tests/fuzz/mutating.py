"""Requests made by chance: documents of JSON, valid requests that were damaged, header fields."""

import json
from typing import Any

from hypothesis import strategies as st

PAGES = """query Pages($r: String!, $n: Int, $after: String, $f: CreditChangeFilter) {
  customer(reference: $r) {
    id displayName
    creditChanges(first: $n, after: $after, filter: $f) {
      totalCount edges { cursor node { id ...Amount } } pageInfo { hasNextPage endCursor }
      sources { state account { id provider { name } } }
    }
    payments(last: 3) { nodes { id createdAt status product amount { amount unit } } }
    accounts { id label status }
  }
}
fragment Amount on CreditChange { amount { amount unit } kind occurredAt reason }"""
VALID: list[dict[str, Any]] = [
    {"query": "{ viewer { subject } }"},
    {
        "query": PAGES,
        "operationName": "Pages",
        "variables": {"r": "C-1001", "n": 5, "after": None, "f": {"text": "credit"}},
        "extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}},
    },
    {"query": "query($i: [ID!]!) { nodes(ids: $i) { id __typename } }", "variables": {"i": ["x"]}},
    {
        "query": "query($s: String) { customers(first: 2, search: $s) { nodes { reference } } }",
        "variables": {"s": "Ann"},
    },
    {
        "query": "mutation($i: CreateCustomerInput!) { createCustomer(input: $i) { __typename } }",
        "variables": {"i": {"reference": "F-1", "displayName": "Fuzz"}},
    },
]

_NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([2**31, -(2**31) - 1, 2**53 + 1, 2**64, 10**400, 1e308, -0.0]),
)
_TEXTS = st.one_of(
    # Lone surrogates can be written in JSON, and in nothing else.
    st.text(st.characters(exclude_categories=())),
    st.sampled_from(["", "\0", "\ud800", "\udc00\ud800", "\ufeff", "\u202e", "'", '"', "%", "\\"]),
    st.sampled_from(
        ["a" * 100_000, "\U0001f600" * 1000, "2026-13-45T99:99:99Z", "NaN", "1e999999"]
    ),
)
_LEAVES = st.none() | st.booleans() | _NUMBERS | _TEXTS
JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner), max_leaves=20
)
# Out of these, most damage to a document leaves one that is nearly right.
_TOKENS = st.one_of(
    st.sampled_from(list('{}()[]:!=@$&|#,\\"\0\ufeff')),
    st.sampled_from(
        ["...", '"x"', '""""', "1", "-1", "1e9", "null", "true", "a", "on", "$r", "$n"]
    ),
    st.sampled_from(["query", "mutation", "fragment", "subscription", "__typename", "__schema"]),
    st.sampled_from(["@skip(if: true)", "@include(if: $n)", "@defer", "first: 1", "...Amount"]),
    st.sampled_from(["viewer", 'customer(reference: "C-1001")', "{id}", "id:", '"\\ud800"']),
)


@st.composite
def damaged_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Return a request some of whose document's words were taken out, put in or exchanged."""
    request = dict(draw(st.sampled_from(VALID)))
    words = request["query"].split(" ")
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(words)))
        words[place : place + draw(st.integers(0, 2))] = draw(st.lists(_TOKENS, max_size=2))
    return {**request, "query": " ".join(words)}


@st.composite
def damaged_requests(draw: st.DrawFn) -> Any:  # noqa: ANN401 - it is JSON
    """Return a request with another value at some place of it."""
    return _replaced(draw, draw(st.sampled_from(VALID)))


def _replaced(draw: st.DrawFn, value: Any) -> Any:  # noqa: ANN401 - it is JSON
    if not isinstance(value, dict) or not value or draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    name = draw(st.sampled_from([*value, draw(_TEXTS)]))
    return {**value, name: _replaced(draw, value.get(name))}


@st.composite
def damaged_bytes(draw: st.DrawFn) -> bytes:
    """Return a valid body some of whose bytes were taken out, put in or exchanged."""
    body = bytearray(json.dumps(draw(st.sampled_from(VALID))).encode())
    for _ in range(draw(st.integers(1, 5))):
        place = draw(st.integers(0, len(body)))
        body[place : place + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
    return bytes(body)


_FIELD_NAMES = st.one_of(
    st.sampled_from(
        ["Accept", "Accept-Encoding", "Authorization", "Cache-Control", "Content-Type"]
    ),
    st.sampled_from(["If-None-Match", "If-Match", "If-Modified-Since", "Range", "Expect", "Host"]),
    st.sampled_from(["Content-Encoding", "Cookie", "Origin", "Upgrade", "TE", "Prefer", "Via"]),
    st.sampled_from(["Access-Control-Request-Method", "Sec-WebSocket-Key", "Last-Event-ID"]),
)
_FIELD_WORDS = st.one_of(
    st.sampled_from(["*/*", "application/json", "application/graphql-response+json", "text/html"]),
    st.sampled_from(["application/*", "charset=utf-8", "charset=utf-16", "boundary=x"]),
    st.sampled_from(["q=0", "q=1", "q=0.5", "q=nan", "q=inf", "q=-1", "q=", "*", '"', "W/", '"x"']),
    st.sampled_from(["identity", "gzip", "br", "zstd", "no-cache", "max-age=0", "max-age=-1"]),
    st.sampled_from(["max-age=99999999999999999999", "Bearer", "cg_x", "a.b.c", "Basic", "null"]),
    st.sampled_from(["bytes=0-1", "websocket", "localhost", "[::1]", "[", "100-continue"]),
)
_FIELD_VALUES = st.one_of(
    st.lists(_FIELD_WORDS, max_size=5).flatmap(
        lambda words: st.sampled_from([";", ",", " ", ", "]).map(lambda by: by.join(words).encode())
    ),
    # What no field may hold is refused before the gateway sees it.
    st.binary(max_size=40).map(lambda value: bytes(b for b in value if b >= 32 and b != 127)),
)
FIELDS = st.lists(
    st.tuples(_FIELD_NAMES, _FIELD_VALUES).map(lambda one: one[0].encode() + b": " + one[1]),
    max_size=6,
)
