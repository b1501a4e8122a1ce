"""`ETag` and `304`: an answer that the client has is not sent again."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from plainly import answering, given
from raw import Conversation, Raw, exchange
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from world import serving

from app.server.compression import Compression
from app.server.validators import Validators

BODY = b'{"data": {"nodes": [' + b'{"id": "x", "amount": "1.00"},' * 100 + b"]}}"
KEPT = {"Content-Type": "application/json", "Cache-Control": "private, max-age=60"}


async def _rows(scope: Scope, receive: Receive, send: Send) -> None:
    async def told() -> AsyncIterator[bytes]:
        yield BODY
        yield BODY

    await StreamingResponse(told(), headers={"Cache-Control": "max-age=1"})(scope, receive, send)


async def _events(scope: Scope, receive: Receive, send: Send) -> None:
    async def told() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.6)
        yield b"data: x\n\n"

    fields = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
    await StreamingResponse(told(), headers=fields)(scope, receive, send)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    answers: dict[str, ASGIApp] = {
        "/": given(BODY, {**KEPT, "Vary": "Accept, Authorization", "X-Cache": "HIT"}),
        "/again": given(BODY, KEPT),
        "/other": given(BODY + b" ", KEPT),
        "/no-cache": given(BODY, {"Cache-Control": "no-cache"}),
        "/empty": given(b"", KEPT),
        "/no-store": given(BODY, {"Cache-Control": "no-store"}),
        "/untold": given(BODY, {}),
        "/refused": given(BODY, KEPT, 400),
        "/own": given(BODY, {**KEPT, "ETag": '"own"'}),
        "/rows": _rows,
        "/events": _events,
    }
    with serving(Compression(Validators(answering(answers)))) as one:
        yield one


def ask(url: str, path: str = "/", *fields: str, method: str = "GET") -> Raw:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *fields, "", ""]
    return exchange(url, "\r\n".join(lines).encode("latin-1"))


def tag_of(answer: Raw) -> str:
    assert answer.status == 200
    return answer.headers["etag"]


def test_the_same_bytes_have_the_same_tag_and_others_another(url: str) -> None:
    tags = [tag_of(ask(url, path)) for path in ("/", "/", "/again", "/other", "/empty")]

    assert tags[0] == tags[1] == tags[2]
    assert len(set(tags)) == 3
    assert all(tag.startswith('W/"') for tag in tags)


@pytest.mark.parametrize("path", ["/no-store", "/untold", "/refused", "/rows"])
def test_what_may_not_be_kept_has_no_tag(url: str, path: str) -> None:
    answer = ask(url, path, "If-None-Match: *")

    assert answer.status == (400 if path == "/refused" else 200)
    assert "etag" not in answer.headers


def test_a_tag_of_the_applications_own_is_left_to_it(url: str) -> None:
    answer = ask(url, "/own", 'If-None-Match: "own"')

    assert (answer.status, answer.headers["etag"]) == (200, '"own"')


NAMED = [
    "{tag}",
    "{strong}",
    "*",
    " * ",
    '"a", {tag}, W/"b"',
    '{strong},"a"',
    '"a, b" ,,{tag}',
    '"a"\r\nIf-None-Match: {tag}',
    '\xff, "\xff", {tag}',
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("named", NAMED)
def test_an_answer_that_the_client_has_is_not_sent_again(url: str, named: str, method: str) -> None:
    whole = ask(url)
    tag = tag_of(whole)
    field = f"If-None-Match: {named.format(tag=tag, strong=tag.removeprefix('W/'))}"

    answer = ask(url, "/", field, method=method)

    assert (answer.status, answer.body) == (304, b"")
    for name in ("etag", "cache-control", "vary", "x-cache"):
        assert answer.headers[name] == whole.headers[name]
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers


@pytest.mark.parametrize(
    "named", ["", '""', '"a"', "W/", "{bare}", '"{bare}', "w{bare}", '"x{bare}"', '"*"', "*, *"]
)
def test_an_answer_that_the_client_has_not_is_sent(url: str, named: str) -> None:
    bare = tag_of(ask(url)).removeprefix('W/"').removesuffix('"')

    answer = ask(url, "/", f"If-None-Match: {named.format(bare=bare)}")

    assert (answer.status, answer.body) == (200, BODY)


def test_a_tag_is_the_same_in_every_coding(url: str) -> None:
    answers = [ask(url, "/", f"Accept-Encoding: {one}") for one in ("zstd", "br", "gzip", "x")]

    assert len({one.body for one in answers}) == 4
    assert len({tag_of(one) for one in answers}) == 1
    for one in answers:
        again = ask(url, "/", f"If-None-Match: {tag_of(one)}", "Accept-Encoding: br")
        assert (again.status, "content-encoding" in again.headers) == (304, False)


def test_a_head_has_the_tag_of_its_get(url: str) -> None:
    get, head = ask(url), ask(url, method="HEAD")

    assert head.headers == get.headers


def test_a_post_has_no_tag_and_is_answered_whatever_the_client_has(url: str) -> None:
    answer = ask(url, "/", "If-None-Match: *", "Content-Length: 0", method="POST")

    assert (answer.status, answer.body, "etag" in answer.headers) == (200, BODY, False)


def test_what_is_asked_about_each_time_can_be_not_modified_too(url: str) -> None:
    tag = tag_of(ask(url, "/no-cache"))

    assert ask(url, "/no-cache", f"If-None-Match: {tag}").status == 304


def test_a_stream_begins_before_its_first_event(url: str) -> None:
    with Conversation(url, patience=0.3) as conversation:
        conversation.send(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = conversation.answer()

    assert (answer.status, "etag" in answer.headers) == (200, False)
