"""Bodies that are too long, too slow, or not of the length that was told."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from plainly import living
from raw import POST, Conversation, Raw, chunked, exchange, post
from starlette.types import Receive, Scope, Send
from world import serving

from app.server.limits import Limits

MEGABYTE = 1 << 20
MOST_IN_FLIGHT = 4
REQUEST_TIMEOUT = timedelta(seconds=1)
GET = b"GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the number of bytes that came; a path says what to do instead of reading."""
    size, more = 0, scope["path"] != "/unread"
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    if scope["path"] == "/hangs":
        await asyncio.sleep(30)
    if scope["path"] == "/events":
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await asyncio.sleep(REQUEST_TIMEOUT.total_seconds() + 1.5)
        await send({"type": "http.response.body", "body": b"late"})
        return
    await _answer(send, str(size).encode())


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    limited = Limits(
        living(counting), max_in_flight=MOST_IN_FLIGHT, request_timeout=REQUEST_TIMEOUT
    )
    with serving(limited) as one:
        yield one


def code_of(answer: Raw) -> str:
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return str(json.loads(answer.body)["errors"][0]["extensions"]["code"])


@pytest.mark.parametrize("size", [0, 1, MEGABYTE])
def test_a_body_that_is_not_too_large_is_passed_on_whole(url: str, size: int) -> None:
    told, untold = exchange(url, post(b"x" * size)), exchange(url, chunked(b"x" * size))

    assert told.body == untold.body == str(size).encode()


def test_a_large_body_is_refused_by_its_told_length_before_it_is_sent(url: str) -> None:
    head = POST + b"\r\nContent-Length: 10000000000\r\n\r\n"

    with Conversation(url) as conversation:
        conversation.send(head)
        answer = conversation.answer()
        closed = conversation.is_closed()

    assert (answer.status, code_of(answer), answer.headers["connection"], closed) == (
        413,
        "BAD_USER_INPUT",
        "close",
        True,
    )


def test_a_client_that_asks_before_it_sends_a_large_body_is_not_told_to(url: str) -> None:
    head = POST + b"\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"

    large = exchange(url, head % (MEGABYTE + 1))
    with Conversation(url) as conversation:
        conversation.send(head % 3)
        told_to_go_on = conversation.answer()
        conversation.send(b"abc")
        small = conversation.answer()

    assert large.status == 413
    assert (told_to_go_on.status, small.body) == (100, b"3")


@pytest.mark.parametrize("size", [MEGABYTE + 1, 4 * MEGABYTE])
def test_a_client_that_sends_a_large_body_to_its_end_gets_the_answer(url: str, size: int) -> None:
    for request in (post(b"x" * size), chunked(b"x" * size)):
        answer = exchange(url, request)

        assert (answer.status, code_of(answer)) == (413, "BAD_USER_INPUT")


def test_a_body_without_end_is_read_for_a_moment_and_then_no_more(url: str) -> None:
    sent, began = 0, time.monotonic()
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    with Conversation(url) as conversation:
        conversation.send(POST + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < 200 * MEGABYTE:
                conversation.send(chunk)
                sent += len(chunk)
        except (ConnectionResetError, BrokenPipeError):
            pass

    # What the sockets' buffers hold comes on top.
    assert sent < 40 * MEGABYTE
    assert time.monotonic() - began < 10


SLOW = [
    POST + b"\r\nContent-Length: 10\r\n\r\n",
    POST + b"\r\nContent-Length: 10\r\n\r\nabc",
    POST + b"\r\nTransfer-Encoding: chunked\r\n\r\n",
    POST + b"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    POST + b"\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na",
]


@pytest.mark.parametrize("request_", SLOW, ids=range(len(SLOW)))
def test_a_body_that_stops_short_is_waited_for_half_of_the_requests_time(
    url: str, request_: bytes
) -> None:
    began = time.monotonic()

    with Conversation(url) as conversation:
        conversation.send(request_)
        answer = conversation.answer()
        took = time.monotonic() - began
        closed = conversation.is_closed()

    assert (answer.status, code_of(answer), closed) == (408, "BAD_USER_INPUT", True)
    assert REQUEST_TIMEOUT.total_seconds() * 0.45 < took < REQUEST_TIMEOUT.total_seconds() * 0.9


def test_a_body_that_drips_is_not_waited_for_any_longer(url: str) -> None:
    began = time.monotonic()

    with Conversation(url, patience=0.2) as conversation:
        conversation.send(POST + b"\r\nContent-Length: 1000\r\n\r\n")
        while time.monotonic() - began < REQUEST_TIMEOUT.total_seconds() * 0.45:
            conversation.send(b"x")
            time.sleep(0.05)
        time.sleep(0.4)
        answer = conversation.answer()

    assert answer.status == 408


def test_a_body_that_comes_in_parts_and_in_time_is_taken(url: str) -> None:
    with Conversation(url) as conversation:
        conversation.send(POST + b"\r\nContent-Length: 6\r\n\r\n")
        for part in (b"ab", b"cd", b"ef"):
            time.sleep(0.1)
            conversation.send(part)
        answer = conversation.answer()

    assert (answer.status, answer.body) == (200, b"6")


def test_what_is_not_answered_in_time_is_no_fault_of_the_body(url: str) -> None:
    answer = exchange(url, GET.replace(b"/graphql", b"/hangs"))

    assert (answer.status, code_of(answer)) == (504, "DEADLINE_EXCEEDED")


def test_events_may_come_late_and_take_no_place_of_a_request(url: str) -> None:
    with ExitStack() as stack:
        streams = [stack.enter_context(Conversation(url)) for _ in range(MOST_IN_FLIGHT)]
        for stream in streams:
            stream.send(GET.replace(b"/graphql", b"/events"))
            assert stream.answer().status == 200
        other = exchange(url, GET)
        late = [stream.chunks() for stream in streams]

    assert other.status == 200
    assert late == [b"4\r\nlate\r\n0\r\n\r\n"] * MOST_IN_FLIGHT


def test_a_slow_body_has_left_its_place_to_others(url: str) -> None:
    for _ in range(MOST_IN_FLIGHT + 1):
        with Conversation(url) as conversation:
            conversation.send(SLOW[0])
    time.sleep(0.1)

    assert exchange(url, GET).status == 200


def test_a_body_that_was_not_read_does_not_become_the_next_request(url: str) -> None:
    first = post(b"GET /x HTTP/1.1\r\n\r\n").replace(b"/graphql", b"/unread")

    with Conversation(url) as conversation:
        conversation.send(first + post(b"abc"))
        answers = conversation.answer(), conversation.answer()

    assert [one.body for one in answers] == [b"0", b"3"]


NO_HTTP = [
    b"Content-Length: -1",
    b"Content-Length: +1",
    b"Content-Length: many",
    b"Content-Length: 1_0",
    b"Content-Length: 0x10",
    b"Content-Length: 1.0",
    b"Content-Length: 1, 1",
    b"Content-Length: \xb2",
    b"Content-Length: " + b"9" * 5000,
    b"Content-Length: 3\r\nContent-Length: 4",
    b"Content-Length: 3\r\nContent-Length: 3",
    b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Transfer-Encoding: gzip",
    b"Transfer-Encoding: chunked, gzip",
    b"Transfer-Encoding: xchunked",
]


@pytest.mark.parametrize("field", NO_HTTP, ids=[one[:40].decode("latin-1") for one in NO_HTTP])
def test_a_length_that_can_be_read_in_two_ways_is_refused(url: str, field: bytes) -> None:
    answer = exchange(url, POST + b"\r\n" + field + b"\r\n\r\nabc")

    assert answer.status == 400


@pytest.mark.parametrize("chunks", [b"x\r\n", b"-1\r\n", b"1" * 20 + b"\r\n", b"3\r\nabcdef\r\n"])
def test_chunks_of_no_length_are_refused(url: str, chunks: bytes) -> None:
    answer = exchange(url, POST + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)

    assert answer.status == 400
