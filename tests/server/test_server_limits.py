"""What is too much, too deep or too strange is refused, and nothing breaks."""

import asyncio
import json
import logging
import re
from collections.abc import Iterator

import httpx
import pytest
from raw import chunked, exchange
from world import World, world

MEGABYTE = 1 << 20
VIEWER = "{ viewer { subject } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("limits"), entries=20) as one:
        yield one


@pytest.fixture(autouse=True)
def _nothing_breaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Hold every test to a server that logs no failure of its own."""
    yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []


def code_of(body: bytes) -> str:
    return str(json.loads(body)["errors"][0]["extensions"]["code"])


def padded(size: int) -> bytes:
    body = json.dumps({"query": VIEWER, "variables": {}}).encode()
    return body + b" " * (size - len(body))


def test_a_body_of_one_megabyte_is_taken_and_a_larger_one_is_not(served: World) -> None:
    headers = {"Content-Type": "application/json"}

    largest = served.http.post("/graphql", content=padded(MEGABYTE), headers=headers)
    larger = served.http.post("/graphql", content=padded(MEGABYTE + 1), headers=headers)

    assert largest.status_code == 200
    assert larger.status_code == 413
    assert code_of(larger.content) == "BAD_USER_INPUT"


def test_a_body_that_does_not_tell_its_length_is_counted(served: World) -> None:
    largest = exchange(served.url, chunked(padded(MEGABYTE)))
    larger = exchange(served.url, chunked(padded(MEGABYTE + 1)))

    assert (largest.status, json.loads(largest.body)["data"]) == (
        200,
        {"viewer": {"subject": "anonymous"}},
    )
    assert larger.status == 413
    assert code_of(larger.body) == "BAD_USER_INPUT"


def test_a_long_address_is_refused(served: World) -> None:
    short = served.http.get("/graphql", params={"query": VIEWER + "#" + "x" * 15_000})
    long = served.http.get("/graphql", params={"query": VIEWER + "#" + "x" * 17_000})

    assert short.status_code == 200
    assert long.status_code == 414
    assert "POST" in long.json()["errors"][0]["message"]


DEEP = [
    "{a(b:" + "[" * 100_000,
    "{" * 100_000,
    "{ customers(first: " + "[" * 900 + "]" * 900 + ") { totalCount } }",
    "{ viewer " * 600 + "}" * 600,
    '{ node(id: "x") { id ' + "... on Node { " * 150 + "id" + " }" * 150 + " } }",
    "query($a: " + "[" * 500 + "Int" + "]" * 500 + ") { viewer { subject } }",
    "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    " ".join(
        ["{ ...F0 }"]
        + [f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60)]
        + ["fragment F60 on Query { viewer { subject } }"]
    ),
    "{ customers(first: " + "1" * 5000 + ") { totalCount } }",
    '{ customer(reference: "C-1001") { payments(filter: {minAmount: '
    + "1" * 5000
    + "}) { totalCount } } }",
    '{ customer(reference: "C-1001") { payments(filter: {minAmount: "'
    + "1" * 5000
    + '"}) { totalCount } } }',
    '{ customer(reference: "C-1001") { payments(filter: {from: '
    + "1" * 5000
    + "}) { totalCount } } }",
    "{ node(id: " + "1" * 5000 + ") { id } }",
    '{ customer(reference: "\\ud800") { id } }',
    '{ customer(reference: "\\u{110000}") { id } }',
    '{ customer(reference: "\\u0000") { id } }',
    '{ customer(reference: "C-1001") { payments(filter: {text: "\\u0000%"}) { totalCount } } }',
    '{ customers(search: "\\u0000%_\\\\\\u001f") { totalCount } }',
    "{ customers(first: 1e400) { totalCount } }",
    "{ \0 }",
    "\ufeff{ viewer { subject } }",
]


@pytest.mark.parametrize("query", DEEP, ids=[one[:30] + str(len(one)) for one in DEEP])
def test_strange_documents_are_answered_below_500_and_soon(served: World, query: str) -> None:
    response = served.http.post("/graphql", json={"query": query}, timeout=5)

    assert response.status_code in {200, 400}
    assert "INTERNAL" not in response.text
    assert not re.search(r"Traceback|set_int_max_str_digits|recursion", response.text)


VARIABLES = [
    b'{"n": ' + b"1" * 5000 + b"}",
    b'{"n": 1e400}',
    b'{"n": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    b'{"n": "\\ud800"}',
    b'{"n": {"\\u0000": []}}',
    b'{"n": -0.0}',
    b'{"n": 18446744073709551615}',
]


@pytest.mark.parametrize("kind", ["Int", "Decimal", "DateTime", "String", "ID", "[Int]"])
@pytest.mark.parametrize("variables", VARIABLES, ids=range(len(VARIABLES)))
def test_strange_variables_are_answered_below_500(
    served: World, kind: str, variables: bytes
) -> None:
    uses = {
        "Int": "customers(first: $n) { totalCount }",
        "Decimal": 'customer(reference: "C-1001") { payments(filter: {minAmount: $n}) '
        "{ totalCount } }",
        "DateTime": 'customer(reference: "C-1001") { payments(filter: {from: $n}) { totalCount } }',
        "String": "customers(search: $n) { totalCount }",
        "ID": "nodes(ids: [$n]) { id }",
        "[Int]": "viewer { subject }",
    }
    bang = "!" if kind == "ID" else ""
    query = json.dumps(f"query($n: {kind}{bang}) {{ {uses[kind]} }}").encode()
    body = b'{"query": ' + query + b', "variables": ' + variables + b"}"

    response = served.http.post(
        "/graphql", content=body, headers={"Content-Type": "application/json"}
    )

    assert response.status_code in {200, 400}
    assert "INTERNAL" not in response.text


HEAD = b"Host: localhost\r\nContent-Type: application/json\r\n"
STRICT = b"Host: localhost\r\nAccept: application/graphql-response+json\r\n\r\n"
STRANGE = [
    b"POST /graphql HTTP/1.1\r\n" + HEAD + b"Content-Length: \r\n\r\n",
    b"POST /graphql HTTP/1.1\r\n" + HEAD + b"Content-Length: many\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    b"GET /graphql?query=\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /graphql?query=%ff%ed%a0%80 HTTP/1.1\r\n" + STRICT,
    b"GET /graphql?query HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /graphql?query={&query=}&&=&;; HTTP/1.1\r\n" + STRICT,
    b"GET /graphql HTTP/1.1\r\nHost: localhost\r\nAccept: \xff;q=\xff, ;;, q=\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    b"POST /graphql HTTP/1.1\r\nHost: [::1]:80\r\nContent-Type: ;\xff\r\nContent-Length: 0\r\n\r\n",
]


@pytest.mark.parametrize("request_", STRANGE, ids=range(len(STRANGE)))
def test_strange_requests_are_refused_below_500(served: World, request_: bytes) -> None:
    assert 400 <= exchange(served.url, request_).status < 500


@pytest.mark.parametrize("host", [b"[", b"", b"a b", b"\xff"])
def test_a_strange_host_is_refused(served: World, host: bytes) -> None:
    request = b"GET /graphql?query={viewer{subject}} HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"

    assert exchange(served.url, request).status in {400, 421}


def test_a_client_that_goes_away_within_its_request_breaks_nothing(served: World) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as http:

        def half() -> Iterator[bytes]:
            yield b'{"query": '
            raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            http.post("/graphql", content=half(), headers={"Content-Type": "application/json"})

    assert served.data(VIEWER)


def test_more_requests_at_once_than_allowed_are_told_to_come_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    query = '{ customer(reference: "C-1001") { creditChanges(first: 5) { nodes { id } } } }'

    async def ask_both(url: str) -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as http:
            slow = asyncio.create_task(http.post("/graphql", json={"query": query}))
            await asyncio.sleep(0.3)
            refused = await http.post("/graphql", json={"query": VIEWER})
            probe = await http.get("/livez")
            return await slow, refused, probe

    folder = tmp_path_factory.mktemp("in_flight")
    with world(folder, more="[server]\nmax_in_flight = 1", entries=20) as one:
        one.sandbox.set_fault("hostup", {"kind": "latency", "ms": 700})
        slow, refused, probe = asyncio.run(ask_both(one.url))
        afterwards = one.ask(VIEWER)

    assert "errors" not in slow.json()
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert code_of(refused.content) == "RATE_LIMITED"
    assert probe.status_code == 200
    assert afterwards["data"] == {"viewer": {"subject": "anonymous"}}


def test_a_slow_provider_does_not_hold_an_answer_beyond_the_requests_time(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    query = '{ customer(reference: "C-1001") { creditChanges(first: 5) { nodes { id } } } }'
    folder = tmp_path_factory.mktemp("slow")
    with world(folder, more='[server]\nrequest_timeout = "1s"', entries=20) as one:
        one.sandbox.set_fault("hostup", {"kind": "latency", "ms": 2000})
        response = one.http.post("/graphql", json={"query": query})

    answer = response.json()
    assert response.elapsed.total_seconds() < 1.5
    assert len(answer["data"]["customer"]["creditChanges"]["nodes"]) == 5
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["UPSTREAM_TIMEOUT"]
