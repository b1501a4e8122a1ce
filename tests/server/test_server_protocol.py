"""What comes before a request is known: heads that are too long, too slow, or no HTTP."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from plainly import answering, given
from raw import POST, Conversation, Raw, exchange, post
from world import serving

MEGABYTE = 1 << 20
OK = b'{"data": {}}'
GET = b"GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(answering({"/graphql": given(OK, {})})) as one:
        yield one


def code_of(answer: Raw) -> str:
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    return str(json.loads(answer.body)["errors"][0]["extensions"]["code"])


NO_HTTP = [
    b"\x00\x01\x02\x03\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"hello\r\n\r\n",
    b"GET /graphql HTTP/3.0\r\nHost: x\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\n: x\r\n\r\n",
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
    b"GET /gra\x00phql HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /graphql?\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"get /graphql HTTP/1.1\r\nHost: x\r\n\r\n",
    b"INVENT /graphql HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT localhost:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("request_", NO_HTTP, ids=range(len(NO_HTTP)))
def test_what_is_no_http_is_refused_as_all_else_is(url: str, request_: bytes) -> None:
    with Conversation(url) as conversation:
        conversation.send(request_)
        answer = conversation.answer()
        closed = conversation.is_closed()

    assert (answer.status, code_of(answer), closed) == (400, "BAD_USER_INPUT", True)
    assert answer.headers["connection"] == "close"


HEADS = [
    b"GET /" + b"x" * MEGABYTE,
    b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * MEGABYTE,
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: x\r\n" * 100_000,
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"x" * MEGABYTE,
]


@pytest.mark.parametrize("head", HEADS, ids=range(len(HEADS)))
def test_a_head_without_end_is_refused(url: str, head: bytes) -> None:
    with Conversation(url) as conversation:
        try:
            conversation.send(head)
            assert conversation.answer().status == 431
        except (ConnectionResetError, BrokenPipeError):
            pass  # it is not read to its end
        assert conversation.is_closed()


def test_a_long_head_is_taken(url: str) -> None:
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(15))

    with Conversation(url) as conversation:
        conversation.send(GET[:-2])
        time.sleep(0.1)
        conversation.send(fields + b"\r\n")
        answer = conversation.answer()

    assert answer.body == OK


def test_what_was_sent_before_does_not_count_towards_a_head(url: str) -> None:
    with Conversation(url) as conversation:
        for request in (GET * 1000, post(b"x" * MEGABYTE), GET * 1000):
            conversation.send(request)
        answers = [conversation.answer() for _ in range(2001)]

    assert {(one.status, one.body) for one in answers} == {(200, OK)}


SLOW_HEADS = ("in the first line", "in the fields", "empty lines")


def test_a_connection_on_which_nothing_is_asked_is_closed(url: str) -> None:
    slow = {
        "silent": b"",
        "in the first line": b"GET /graph",
        "in the fields": GET[:-2],
        "in the second head": GET + GET[:-2],
        "empty lines": b"\r\n",
        "in a body that was answered": POST + b"\r\nContent-Length: 1000\r\n\r\nabc",
    }
    dripping = {"in the fields", "empty lines", "in a body that was answered"}
    began = time.monotonic()
    with ExitStack() as stack:
        opened = {name: stack.enter_context(Conversation(url, 30)) for name in slow}
        for name, conversation in opened.items():
            conversation.send(slow[name])
        while time.monotonic() - began < 9:
            time.sleep(1)
            for name in dripping:
                opened[name].send(b"\r\n" if name == "empty lines" else b"a")
        answers = {
            name: opened[name].answer()
            for name in ("in a body that was answered", "in the second head")
        }
        late = {name: opened[name].answer() for name in SLOW_HEADS}
        closed = {name: conversation.is_closed() for name, conversation in opened.items()}

    assert all(closed.values())
    assert time.monotonic() - began < 30
    assert {one.status for one in answers.values()} == {200}
    assert {(one.status, code_of(one)) for one in late.values()} == {(408, "BAD_USER_INPUT")}


UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: "
NO_HANDSHAKES = [
    post(b"{}", UPGRADE + b"x"),
    post(b"{}", UPGRADE + b"x").replace(b"POST", b"GET", 1),
    GET[:-2] + UPGRADE + b"x" * 9000 + b"\r\n\r\n",
    GET[:-2] + UPGRADE + b"x\r\n" + b"A: b\r\n" * 200 + b"\r\n",
]


@pytest.mark.parametrize("request_", NO_HANDSHAKES, ids=range(len(NO_HANDSHAKES)))
def test_what_is_no_handshake_of_a_websocket_is_refused(url: str, request_: bytes) -> None:
    with Conversation(url) as conversation:
        conversation.send(request_)
        answer = conversation.answer()
        closed = conversation.is_closed()

    assert (answer.status, code_of(answer), closed) == (400, "BAD_USER_INPUT", True)


PLAIN = [
    b"GET /graphql\r\n\r\n",
    b"GET /graphql HTTP/1.0\r\n\r\n",
    b"GET http://localhost/graphql HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\r\n\r\n" + GET,
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    post(b"{}", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AA"),
    post(b"{}", b"Connection: Upgrade", b"Upgrade: \xff"),
]


@pytest.mark.parametrize("request_", PLAIN, ids=range(len(PLAIN)))
def test_old_and_odd_http_is_answered(url: str, request_: bytes) -> None:
    answer = exchange(url, request_)

    assert (answer.status, answer.body) == (200, OK)


def test_what_follows_a_request_that_is_no_request_closes_the_connection(url: str) -> None:
    with Conversation(url) as conversation:
        conversation.send(GET)
        first = conversation.answer()
        conversation.send(b"abc\r\n\r\n")
        second = conversation.answer()
        closed = conversation.is_closed()

    assert (first.status, second.status, closed) == (200, 400, True)
