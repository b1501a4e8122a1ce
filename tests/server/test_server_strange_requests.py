"""Requests that no client would send: each gets an answer below 500 that says what is wrong."""

import json
import logging
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from raw import POST, Conversation, Raw, exchange, post
from world import World, world

VIEWER = "{ viewer { subject } }"
ANSWER = {"viewer": {"subject": "anonymous"}}
VALID = json.dumps({"query": VIEWER}).encode()
STRICT = b"Accept: application/graphql-response+json"
SEARCH = b"query($s: String) { customers(search: $s) { totalCount } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = '[limits]\nrate = "1000000/minute"\n'
    with world(tmp_path_factory.mktemp("strange"), more=more, entries=5) as one:
        yield one


@pytest.fixture(autouse=True)
def _nothing_breaks(served: World, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []
    assert served.data(VIEWER) == ANSWER


def codes(raw: Raw) -> list[str]:
    assert raw.headers["content-type"].endswith("json; charset=utf-8")
    return [error["extensions"]["code"] for error in json.loads(raw.body).get("errors", [])]


NO_BODIES = [
    VALID.decode().encode("utf-16"),
    VALID.decode().encode("utf-16-le"),
    VALID.decode().encode("utf-16-be"),
    VALID.decode().encode("utf-32"),
    VALID.decode().encode("utf-7").replace(b"{", b"+AHs-"),
    b"\xef\xbb\xbf" + VALID,
    VALID.replace(b"viewer", b"vi\xe9wer"),
    VALID.replace(b"viewer", b"vi\xed\xa0\x80wer"),
    VALID + b"\0",
    VALID + VALID,
    VALID.replace(b"viewer", b"vi\newer"),
    b"1" * 5000,
    b"-",
    b"1e999999",
    b"Infinity",
    *(b'{"query": "{ __typename }", "x": %s}' % value for value in (b"Infinity", b"-Infinity")),
    *(b'{"query": "\\ud800", "%s": "\\ud800"}' % name for name in (b"a", b"operationName")),
    b'{"query": "{ __typename }", "operationName": "\\ud800"}',
    b'{"query": "{ __typename }", "variables": {"\\udfff": 1}}',
    b'{"query": "%s", "variables": {"s": %s}}' % (SEARCH, b"[" * 100_000 + b"]" * 100_000),
    b'{"query": "%s", "variables": %s}' % (SEARCH, b'{"s":' * 100_000 + b"1" + b"}" * 100_000),
]


@pytest.mark.parametrize("body", NO_BODIES, ids=range(len(NO_BODIES)))
def test_what_is_no_json_in_utf_8_is_refused(served: World, body: bytes) -> None:
    raw = exchange(served.url, post(body, STRICT))

    assert (raw.status, codes(raw)) == (400, ["BAD_USER_INPUT"])


ODD_BODIES = [
    (b'{"query": "{", "query": "{ viewer { subject } }"}', 200),
    (b'{"query": "{ viewer { subject } }", "__proto__": {}, "": null}', 200),
    (b" \t\r\n" + VALID + b" \t\r\n", 200),
    (VALID.replace(b"viewer {", b"viewer \\u007b"), 200),
    (VALID.replace(b"subject", b"subject #\\u0000\\ud83d\\ude00"), 400),
    (b'{"query": "%s"}' % (b"# " + b"x" * 900_000), 400),
    (b'{"query": "{ viewer { subject } } #%s"}' % (b"x" * 60_000), 200),
    (b'{"query": "{ viewer { subject } } #%s"}' % (b"x" * 900_000), 400),
    (b'{"query": "%s", "variables": {"s": "%s"}}' % (SEARCH, b"x" * 900_000), 200),
    (b'{"query": "%s", "variables": {"s": "\\u0000\\ufffe"}}' % SEARCH, 200),
    (b'{"query": "query A { __typename } query B { __typename }"}', 400),
    (b'{"query": "query A { __typename } { __typename }"}', 400),
    (
        b'{"query": "query A { __typename } query B { __typename }", "operationName": "\\u0000"}',
        400,
    ),
    (b'{"query": "query A { __typename } query B { __typename }", "operationName": "B"}', 200),
]


@pytest.mark.parametrize(("body", "status"), ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_odd_json_is_answered(served: World, body: bytes, status: int) -> None:
    raw = exchange(served.url, post(body, STRICT))

    assert (raw.status == 200) == (status == 200), raw.body[:300]
    assert raw.status in {status, 400}
    assert "INTERNAL" not in codes(raw)


OTHER_TYPES = [
    b"Content-Type: text/plain",
    b"Content-Type: application/graphql",
    b"Content-Type: application/graphql+json",
    b"Content-Type: multipart/form-data; boundary=x",
    b"Content-Type: application/x-www-form-urlencoded",
    b"Content-Type: application/json;charset=latin1",
    b'Content-Type: application/json; charset="utf-16"',
    b"Content-Type: application/jsonp",
    b"Content-Type: application/json, application/json",
    b"Content-Type: application /json",
    b"Content-Type: \xff",
    b"Content-Type: ;;;=;",
    b"Content-Type:",
    b"X: y",
]


@pytest.mark.parametrize("field", OTHER_TYPES, ids=range(len(OTHER_TYPES)))
def test_a_body_of_another_type_is_refused(served: World, field: bytes) -> None:
    request = post(VALID, STRICT).replace(b"Content-Type: application/json", field, 1)

    raw = exchange(served.url, request)

    assert (raw.status, codes(raw)) == (415, ["BAD_USER_INPUT"])
    assert "application/json" in json.loads(raw.body)["errors"][0]["message"]


@pytest.mark.parametrize("second", [b"application/json", b"text/plain"])
def test_two_content_types_are_answered(served: World, second: bytes) -> None:
    raw = exchange(served.url, post(VALID, b"Content-Type: " + second))

    assert raw.status in {200, 415}


WEIGHTS = ["q=nan", "q=inf", "q=-inf", "q=1e999", "q=-1", "q=", "q=x", "q=0x1", "q=\xb2", "q=1;q=0"]


@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("kind", ["application/json", "*/*", "text/event-stream", ""])
def test_an_odd_weight_of_a_media_type_breaks_nothing(
    served: World, kind: str, weight: str
) -> None:
    raw = exchange(served.url, post(VALID, f"Accept: {kind};{weight}".encode("latin-1")))

    assert raw.status in {200, 406}


@pytest.mark.parametrize(
    "method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "LINK", "QUERY", "CONNECT"]
)
@pytest.mark.parametrize("body", [b"", VALID])
def test_another_method_is_told_which_there_are(served: World, method: str, body: bytes) -> None:
    raw = exchange(served.url, post(body).replace(b"POST", method.encode(), 1))

    assert (raw.status, codes(raw)) == (405, ["BAD_USER_INPUT"])
    assert raw.headers["allow"].replace(" ", "").split(",") == ["GET", "HEAD", "POST"]


@pytest.mark.parametrize("method", ["get", "Post", "INVENTED", "GETX", "", "G\xcbT"])
def test_a_method_that_http_does_not_know_is_refused(served: World, method: str) -> None:
    raw = exchange(served.url, post(VALID).replace(b"POST", method.encode("latin-1"), 1))

    assert (raw.status, codes(raw)) == (400, ["BAD_USER_INPUT"])


TARGETS = [
    ("/graphql?query=" + quote(VIEWER), 200),
    ("/graphql?query=" + VIEWER.replace(" ", "+"), 200),
    ("http://localhost/graphql?query=" + quote(VIEWER), 200),
    ("http://elsewhere/graphql?query=" + quote(VIEWER), 200),
    ("/graphql?query=" + quote(VIEWER) + "#fragment", 200),
    ("/graphql?query=%7B__typename%7D&operationName=&variables=%7B%7D", 200),
    ("/graphql?query=%7B__typename%7D&%FF=%FF&=&&;", 200),
    ("/gr%61phql?query=%7B__typename%7D", 200),
    ("/graphql?query=%7B__typename", 400),
    ("/graphql?query=%ff%fe", 400),
    ("/graphql?query=%ed%a0%80", 400),
    ("/graphql?query=%00", 400),
    ("/graphql?query=%", 400),
    ("/graphql?query=%zz&query=%u007b", 400),
    ("/graphql?query=%7B__typename%7D&variables=%ff", 400),
    ("/graphql?query=%7B__typename%7D&variables=" + "%5B" * 3000, 400),
    ("/graphql?query=%7B__typename%7D&variables=" + "1" * 5000, 400),
    ("/graphql?query=%7B__typename%7D&variables=null&extensions=NaN", 400),
    ("/graphql?" + "a=b&" * 4000, 400),
    ("/graphql?%71uery=mutation%7B__typename%7D", 405),
    ("/", 404),
    ("/graphql/", 404),
    ("//graphql", 404),
    ("/graphql%2F..", 404),
    ("/%00", 404),
    ("/%ff%fe", 404),
    ("/../etc/passwd", 404),
    ("*", 404),
    ("http://localhost", 400),
    ("graphql", 400),
    ("", 400),
]


@pytest.mark.parametrize(("target", "status"), TARGETS, ids=[one[:50] for one, _ in TARGETS])
def test_an_odd_target_is_answered(served: World, target: str, status: int) -> None:
    lines = [f"GET {target} HTTP/1.1".encode(), b"Host: localhost", STRICT, b"", b""]

    raw = exchange(served.url, b"\r\n".join(lines))

    assert raw.status == status, raw.body[:300]
    assert bool(codes(raw)) == (status != 200)


def test_a_path_that_is_not_there_says_so(served: World) -> None:
    raw = exchange(served.url, post(VALID).replace(b"/graphql", b"/graphqls"))

    assert (raw.status, codes(raw)) == (404, ["NOT_FOUND"])
    assert raw.headers["cache-control"] == "no-store"


def test_a_probe_is_not_posted(served: World) -> None:
    raw = exchange(served.url, post(VALID).replace(b"/graphql", b"/livez"))

    assert (raw.status, codes(raw)) == (405, ["BAD_USER_INPUT"])
    assert "GET" in raw.headers["allow"]


def test_http_of_1996_is_answered_and_closed(served: World) -> None:
    with Conversation(served.url) as conversation:
        conversation.send(post(VALID).replace(b"HTTP/1.1", b"HTTP/1.0"))
        raw = conversation.answer()
        closed = conversation.is_closed()

    assert (raw.status, json.loads(raw.body)["data"], closed) == (200, ANSWER, True)


def test_requests_in_a_row_are_answered_in_their_order(served: World) -> None:
    names = [f"a{number}" for number in range(20)]
    requests = [post(json.dumps({"query": f"{{ {one}: __typename }}"}).encode()) for one in names]

    with Conversation(served.url) as conversation:
        conversation.send(b"".join(requests))
        answers = [json.loads(conversation.answer().body)["data"] for _ in names]

    assert answers == [{one: "Query"} for one in names]


FIELDS = [
    b"Accept-Encoding: \xff;q=\xff,,;",
    b"Accept: " + b"a/b," * 4000,
    b"Authorization: \xff",
    b"Authorization: Bearer",
    b"Authorization: Bearer " + b"a" * 15_000,
    b"Authorization: Bearer a\r\nAuthorization: Bearer b",
    b"Cache-Control: max-age=" + b"9" * 5000,
    b"Cache-Control: max-age=\xb2, no-cache=\xff, =,;",
    b"Cookie: " + b"a=b; " * 3000,
    b"Expect: 200-maybe",
    b"If-None-Match: " + b'"a",' * 4000,
    b"Range: bytes=0-0",
    b"Origin: \xff",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 0",
    b"Sec-WebSocket-Key: x",
    b"TE: trailers, deflate;q=0.5",
    b"Content-Encoding: gzip",
    b"X" * 10_000 + b": y",
    b"X:",
    b"X: y\r\n z",
]


@pytest.mark.parametrize("field", FIELDS, ids=range(len(FIELDS)))
def test_an_odd_header_field_breaks_nothing(served: World, field: bytes) -> None:
    raw = exchange(served.url, post(VALID, field))

    assert 200 <= raw.status < 500, raw.body
    if raw.status >= 400 and "json" in raw.headers["content-type"]:
        assert "INTERNAL" not in codes(raw)


@pytest.mark.parametrize(
    "host", [b"", b"[", b"a b", b"localhost:99999999", b"a\r\nHost: localhost"]
)
def test_an_odd_host_is_refused_or_ignored(served: World, host: bytes) -> None:
    raw = exchange(served.url, post(VALID).replace(b"Host: localhost", b"Host: " + host))

    assert raw.status in {200, 400, 421}


def test_a_body_with_trailers_and_extensions_is_taken(served: World) -> None:
    size = b"%x" % len(VALID)
    chunks = size + b";a=b\r\n" + VALID + b"\r\n0\r\nX-Trailer: y\r\n\r\n"

    head = POST + b"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw = exchange(served.url, head + chunks)

    assert json.loads(raw.body)["data"] == ANSWER
