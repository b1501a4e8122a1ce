"""No input, however it came about, breaks the gateway, and the next caller is served."""

import json
import logging
from collections.abc import Iterator
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from judging import judge
from mutating import FIELDS, JSON, VALID, damaged_bytes, damaged_documents, damaged_requests
from plainly import answering
from plainly import given as answer
from raw import Raw, exchange, post
from starlette.types import Receive, Scope, Send
from world import World, serving, world

# Chance asks more often than one caller may.
MORE = '[limits]\nrate = "1000000/minute"\n'
# One gateway serves all examples of a test.
within = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("fuzz"), more=MORE, entries=20) as one:
        yield one


@pytest.fixture(autouse=True)
def _others_are_served(served: World, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR] == []
    for request in VALID[:4]:
        judge_raw(exchange(served.url, post(json.dumps(request).encode())))
    assert served.data("{ viewer { subject } }") == {"viewer": {"subject": "anonymous"}}


def judge_raw(raw: Raw) -> None:
    judge(raw.status, raw.headers.get("content-type", ""), raw.body)


STRICT = b"Accept: application/graphql-response+json"


@given(JSON)
@within
def test_any_json_is_answered(served: World, document: object) -> None:
    judge_raw(exchange(served.url, post(json.dumps(document).encode(), STRICT)))


@given(damaged_requests())
@within
def test_a_request_with_other_values_is_answered(served: World, request: object) -> None:
    judge_raw(exchange(served.url, post(json.dumps(request).encode(), STRICT)))


@given(damaged_documents())
@within
def test_a_damaged_document_is_answered(served: World, request: dict[str, object]) -> None:
    judge_raw(exchange(served.url, post(json.dumps(request).encode(), STRICT)))


@given(damaged_bytes())
@within
def test_a_damaged_body_is_answered(served: World, body: bytes) -> None:
    judge_raw(exchange(served.url, post(body, STRICT)))


@given(st.binary(max_size=200))
@within
def test_any_bytes_are_answered(served: World, body: bytes) -> None:
    judge_raw(exchange(served.url, post(body, STRICT)))


@given(FIELDS, st.booleans())
@example([b"Accept: application/json;q=nan"], False)  # noqa: FBT003 - as drawn
@within
def test_any_header_fields_are_answered(served: World, fields: list[bytes], by_url: bool) -> None:  # noqa: FBT001 - drawn
    if by_url:
        lines = [b"GET /graphql?query=%7B__typename%7D HTTP/1.1", b"Host: localhost", *fields]
        request = b"\r\n".join([*lines, b"", b""])
    else:
        request = post(json.dumps(VALID[0]).encode(), *fields)

    raw = exchange(served.url, request)

    if raw.headers.get("content-type", "").startswith(("text/html", "text/event-stream")):
        assert raw.status == 200
    elif "content-encoding" not in raw.headers and raw.status != 100:
        judge_raw(raw)


QUERY_PARTS = st.sampled_from(
    ["query", "variables", "operationName", "extensions", "%7B__typename%7D", "{}", "=", "&", ";"]
)


@given(st.lists(QUERY_PARTS | st.binary(max_size=5), max_size=8), st.booleans())
@within
def test_any_query_string_is_answered(
    served: World,
    parts: list[str | bytes],
    quoted: bool,  # noqa: FBT001 - drawn
) -> None:
    raw = b"".join(one.encode() if isinstance(one, str) else _written(one, quoted) for one in parts)
    lines = [b"GET /graphql?" + raw + b" HTTP/1.1", b"Host: localhost", STRICT, b"", b""]

    judge_raw(exchange(served.url, b"\r\n".join(lines)))


def _written(part: bytes, quoted: bool) -> bytes:  # noqa: FBT001 - drawn
    if quoted:
        return quote_from_bytes(part).encode()
    return bytes(b for b in part if b > 32 and b not in b"#\x7f")


async def _broken(_: Scope, __: Receive, ___: Send) -> None:
    raise RuntimeError


def test_a_gateway_that_breaks_is_found_out(caplog: pytest.LogCaptureFixture) -> None:
    internal = b'{"errors": [{"message": "Internal error.", "extensions": {"code": "INTERNAL"}}]}'
    hidden = answer(internal, {"Content-Type": "application/json"})

    for broken in (_broken, hidden):
        with serving(answering({"/graphql": broken})) as url, pytest.raises(AssertionError):
            judge_raw(exchange(url, post(b"{}")))

    assert "Exception in ASGI application" in caplog.text
    caplog.clear()
