"""Heads that come before an answer, or without being asked for."""

import asyncio
from contextlib import suppress

import aiohttp
import pytest
from test_http_door import HEAD, always, ask, door
from upstreams import Reply, Upstream

from app.outgoing.connection import MOST_HEADS, connector
from app.providers.call import Unreadable

STATUSES = ["100 Continue", "102 Processing", "103 Early Hints"]
ANSWER = HEAD + b"{}"


def early(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nLink: </a>\r\n\r\n".encode()


def saying(*parts: bytes) -> Reply:
    """Return an answer in pieces that arrive one by one."""

    async def send(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.001)

    return Reply(send=send)


@pytest.mark.parametrize("status", STATUSES)
async def test_a_few_heads_before_an_answer_are_skipped(status: str) -> None:
    few = early(status) * MOST_HEADS
    replies = [saying(few + ANSWER), saying(few, ANSWER), saying(*[early(status)] * 5, ANSWER)]
    async with door(lambda _asked: replies.pop()) as (one, _):
        found = [await ask(one) for _ in range(3)]

    assert found == [b"{}"] * 3


@pytest.mark.parametrize("status", STATUSES)
async def test_more_of_them_are_no_answer(status: str) -> None:
    many = early(status) * (MOST_HEADS + 1)
    replies = [saying(many + ANSWER), saying(many, ANSWER)]
    async with door(lambda _asked: replies.pop()) as (one, server):
        for _ in range(2):
            with pytest.raises(Unreadable):
                await ask(one)

    assert len(server.asked) == 2


def pouring(piece: bytes, first: bytes = b"") -> Reply:
    """Return an answer, and pieces a little later for as long as they are taken."""

    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await asyncio.sleep(0.1)
        while True:
            writer.write(piece)
            await writer.drain()

    return Reply(send=send)


async def left(server: Upstream) -> None:
    """Wait until the connection by which it pours is closed."""
    async with asyncio.timeout(60):
        while server.at_once:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def test_a_flood_of_them_is_left_at_once() -> None:
    flood = pouring(early(STATUSES[2]) * 1000)
    async with door(always(flood), timeout="60s") as (one, server):
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(Unreadable):
            await ask(one)
        seconds = loop.time() - began
        await left(server)

    assert seconds < 30


async def test_answers_that_nobody_asked_for_are_not_kept() -> None:
    async with door(always(pouring(ANSWER * 100, first=ANSWER))) as (one, server):
        found = await ask(one)
        await left(server)

    assert found == b"{}"


async def test_heads_before_earlier_answers_do_not_count() -> None:
    connections = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(early(STATUSES[2]) * MOST_HEADS + ANSWER)
        writer.close()

    async with (
        await asyncio.start_server(converse, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(connector=connector(1)) as session,
    ):
        url = "http://{}:{}/".format(*server.sockets[0].getsockname())
        bodies = [await (await session.get(url)).read() for _ in range(5)]

    assert (bodies, connections) == ([b"{}"] * 5, 1)
