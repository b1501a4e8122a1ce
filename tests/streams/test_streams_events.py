"""Answers as server-sent events, in distinct connections."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from streaming import Served, served, until
from world import World, world

EVENTS = {"Accept": "text/event-stream"}
SUBSCRIPTION = 'subscription { creditChangeAdded(reference: "C-1001") { id } }'
COMPLETE = "event: complete\ndata:\n\n"


@pytest.fixture(scope="module")
def one() -> Iterator[Served]:
    with served() as streams:
        yield streams


@asynccontextmanager
async def listening(url: str, word: str) -> AsyncIterator[httpx.Response]:
    async with (
        httpx.AsyncClient(trust_env=False, timeout=10) as http,
        http.stream("POST", f"{url}/graphql", json={"query": word}, headers=EVENTS) as response,
    ):
        yield response


async def said(url: str, word: str) -> str:
    async with listening(url, word) as response:
        return (await response.aread()).decode()


def event(body: Mapping[str, Any]) -> str:
    return f"event: next\ndata: {json.dumps(body, separators=(',', ':'))}\n\n"


def value(number: int) -> str:
    return event({"data": {"value": number}})


@pytest.mark.parametrize(
    ("word", "events"),
    [("one", [value(1)]), ("three", [value(1), value(2), value(3)])],
)
async def test_each_answer_is_an_event_and_complete_is_the_last(
    one: Served, word: str, events: list[str]
) -> None:
    assert await said(one.url, word) == "".join(events) + COMPLETE


@pytest.mark.parametrize("word", ["invalid", "broken"])
async def test_what_cannot_be_executed_is_an_event_too(one: Served, word: str) -> None:
    text = await said(one.url, word)

    assert '{"errors":[{"message":"No such word."' in text
    assert text.endswith(COMPLETE)


@pytest.mark.parametrize("word", ["one", "ticking"])
async def test_nobody_keeps_or_collects_events(one: Served, word: str) -> None:
    async with listening(one.url, word) as response:
        headers = response.headers

    assert response.status_code == 200
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"].startswith("no-store")
    assert headers["x-accel-buffering"] == "no"
    assert headers["ratelimit"] == "x"
    assert ("content-length" in headers) == (word == "one")


async def test_silence_is_broken_by_signs_of_life(one: Served) -> None:
    lines: list[str] = []
    async with listening(one.url, "silent") as response:
        async for line in response.aiter_lines():
            lines.append(line)
            if len(lines) == 3:
                break

    assert lines == [":", ":", ":"]
    await until(lambda: one.source.open == 0)


async def test_beyond_so_many_streams_there_is_no_room() -> None:
    with served(most=1) as one:
        async with listening(one.url, "silent"):
            await until(lambda: one.source.open == 1)
            async with listening(one.url, "silent") as refused:
                body = json.loads(await refused.aread())
        await until(lambda: (one.streams.open, one.source.open) == (0, 0))
        again = await said(one.url, "three")

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert body["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert again.endswith(COMPLETE)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("events"), entries=5) as served_:
        yield served_


def test_the_gateway_tells_a_query_as_one_event(gateway: World) -> None:
    post = gateway.http.post(
        "/graphql", json={"query": "{ viewer { subject } }"}, headers=EVENTS
    ).text
    get = gateway.http.get(
        "/graphql", params={"query": "{ viewer { subject } }"}, headers=EVENTS
    ).text

    first, last = post.split("\n\n", 1)
    assert json.loads(first.partition("data: ")[2])["data"] == {"viewer": {"subject": "anonymous"}}
    assert last == COMPLETE
    assert get == post


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Serve a gateway that has little time, for one request at once."""
    more = '[server]\nrequest_timeout = "2s"\nmax_in_flight = 1\n'
    with world(tmp_path_factory.mktemp("hasty"), more=more, entries=5) as served_:
        yield served_


async def test_the_gateway_listens_longer_than_a_request_may_take(hasty: World) -> None:
    async with listening(hasty.url, SUBSCRIPTION) as response:
        lines = response.aiter_lines()
        # The time of a request and the number of those in flight are not for streams.
        await asyncio.sleep(3)
        meanwhile = await asyncio.to_thread(hasty.ask, "{ viewer { subject } }")
        sign = await asyncio.wait_for(anext(lines), 60)

    assert response.status_code == 200
    assert meanwhile["data"] == {"viewer": {"subject": "anonymous"}}
    assert sign == ":"
