"""Content codings: as the client likes them, and never where they do harm."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

import brotli  # type: ignore[import-untyped]
import httpx
import pytest
import zstandard
from plainly import answering, given
from raw import Conversation, Raw, exchange
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from world import serving

from app.server.compression import Compression

LARGE = b'{"data": {"nodes": [' + b'{"id": "x", "amount": "1.00"},' * 300 + b"]}}"
SMALL = LARGE[:499]
JSON = {"Content-Type": "application/json; charset=utf-8"}
STEPS = 3


async def _events(scope: Scope, receive: Receive, send: Send) -> None:
    async def told() -> AsyncIterator[bytes]:
        for _ in range(STEPS):
            yield b"data: " + b"x" * 1000 + b"\n\n"
            await asyncio.sleep(0.3)

    await StreamingResponse(told(), media_type="text/event-stream")(scope, receive, send)


async def _rows(scope: Scope, receive: Receive, send: Send) -> None:
    async def told() -> AsyncIterator[bytes]:
        for start in range(0, len(LARGE), 1000):
            yield LARGE[start : start + 1000]

    await StreamingResponse(told(), headers=JSON)(scope, receive, send)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    answers: dict[str, ASGIApp] = {
        "/": given(LARGE, {"Content-Type": "application/graphql-response+json; charset=utf-8"}),
        "/json": given(LARGE, {**JSON, "Vary": "Accept"}),
        "/small": given(SMALL, JSON),
        "/refused": given(LARGE, JSON, 400),
        "/encoded": given(zlib.compress(LARGE), {**JSON, "Content-Encoding": "deflate"}),
        "/unchanged": given(b"", {"ETag": 'W/"x"'}, 304),
        "/picture": given(LARGE, {"Content-Type": "image/png"}),
        "/events": _events,
        "/rows": _rows,
    }
    with serving(Compression(answering(answers))) as one:
        yield one


def ask(url: str, path: str, accepted: str | None, method: str = "GET") -> Raw:
    field = "" if accepted is None else f"Accept-Encoding: {accepted}\r\n"
    return exchange(url, f"{method} {path} HTTP/1.1\r\nHost: x\r\n{field}\r\n".encode("latin-1"))


def decoded(answer: Raw) -> bytes:
    match answer.headers.get("content-encoding"):
        case "zstd":
            return zstandard.ZstdDecompressor().decompress(answer.body)
        case "br":
            return bytes(brotli.decompress(answer.body))
        case "gzip":
            return zlib.decompress(answer.body, wbits=31)
    return answer.body


ACCEPTED = [
    (None, None),
    ("", None),
    ("identity", None),
    ("deflate, compress", None),
    ("gzip, deflate, br, zstd", "zstd"),
    ("gzip, deflate, br", "br"),
    ("gzip, deflate", "gzip"),
    ("GZIP", "gzip"),
    ("*", "zstd"),
    ("gzip;q=1.0, zstd;q=0.5", "gzip"),
    ("br;q=0.9, gzip;q=0.9, zstd;q=0.899", "br"),
    ("gzip;q=0, *", "zstd"),
    ("zstd;q=0, *;q=0.1", "br"),
    ("zstd;q=0, br;q=0.000, *;q=1.", "gzip"),
    ("*;q=0", None),
    ("gzip;q=0", None),
    ("gzip;q=0.5, identity", None),
    ("gzip;q=0.5, identity;q=0.5", "gzip"),
    ("identity;q=0, gzip;q=0.1", "gzip"),
    ("identity;q=0", None),
    ("gzip ; Q=0.5 , br ; q=0.4", "gzip"),
    *((f"br, gzip;q={weight}", "br") for weight in ("2", "-1", "nan", "inf", "1e0", "x", "")),
    *((f"gzip;q={weight}", None) for weight in ("2", "-1", "nan", "inf", "0.5555", "\xbd", "")),
    (";;,=,;q=1,\xff", None),
]


@pytest.mark.parametrize(("accepted", "coding"), ACCEPTED)
def test_an_answer_has_the_coding_that_is_liked_best(
    url: str, accepted: str | None, coding: str | None
) -> None:
    answer = ask(url, "/", accepted)

    assert answer.headers.get("content-encoding") == coding
    assert decoded(answer) == LARGE
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (len(answer.body) < len(LARGE) / 10) == (coding is not None)


def test_what_is_accepted_may_be_told_in_several_lines(url: str) -> None:
    answer = ask(url, "/json", "br;q=0.5\r\nAccept-Encoding: gzip")

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept, Accept-Encoding"


def test_an_answer_that_is_sent_again_is_compressed_anew(url: str) -> None:
    codings = ["zstd", "br", "gzip", "identity"] * 2

    answers = [ask(url, "/json", coding) for coding in codings]

    assert [one.headers.get("content-encoding", "identity") for one in answers] == codings
    assert {decoded(one) for one in answers} == {LARGE}


def test_refusals_are_compressed_as_well(url: str) -> None:
    answer = ask(url, "/refused", "zstd")

    assert (answer.status, answer.headers["content-encoding"]) == (400, "zstd")


@pytest.mark.parametrize("path", ["/small", "/encoded", "/unchanged", "/picture"])
def test_what_would_not_gain_stays_as_it_is(url: str, path: str) -> None:
    plain, asked = ask(url, path, None), ask(url, path, "zstd, br, gzip")

    assert (asked.status, asked.headers, asked.body) == (plain.status, plain.headers, plain.body)


def test_a_head_tells_what_a_get_would(url: str) -> None:
    get, head = (ask(url, "/json", "br", method) for method in ("GET", "HEAD"))

    assert head.headers == get.headers
    assert head.status == 200


def test_what_comes_in_parts_is_compressed_as_one(url: str) -> None:
    answer = httpx.get(f"{url}/rows", headers={"Accept-Encoding": "gzip"}, trust_env=False)

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == LARGE
    assert answer.num_bytes_downloaded < len(LARGE) / 10


def test_an_event_is_sent_when_it_happens(url: str) -> None:
    with Conversation(url, patience=0.25) as conversation:
        conversation.send(b"GET /events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: zstd, gzip\r\n\r\n")
        answer = conversation.answer()
        first = conversation.line(), conversation.line()  # the next one comes after our patience

    assert "content-encoding" not in answer.headers
    assert first[1].startswith(b"data: x")
