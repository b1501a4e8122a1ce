"""Callers that go away in the middle of an operation."""

import asyncio
import random

import pytest
from asking import asking
from redis_cluster import RedisCluster
from redis_server import RedisServer

from app.redis.connection import Client, connect
from app.redis.guard import Guard, Script

pytest_plugins = ("redis_fixtures",)

ECHO = Script("return redis.call('GET', KEYS[1])")
KEYS = 40


@pytest.fixture(params=["redis", "cluster", "embedded"])
def url(request: pytest.FixtureRequest, server: RedisServer, cluster: RedisCluster) -> str:
    urls = {"redis": server.url, "cluster": cluster.url, "embedded": "embedded://"}
    return urls[request.param]


async def read(guard: Guard, n: int, *, by_script: bool) -> object:
    """Read a key whose value says which one it is."""
    if by_script:
        return await guard.run(ECHO, [f"key{n}"], [])
    return await guard.ask(lambda client: client.get(f"key{n}"))


async def fill(guard: Guard) -> None:
    for n in range(KEYS):
        await guard.ask(lambda client, n=n: client.set(f"key{n}", f"value{n}"))  # type: ignore[misc]


async def wrong_answers(guard: Guard) -> list[int]:
    found = [await read(guard, n, by_script=n % 2 == 0) for n in range(KEYS)]
    return [n for n in range(KEYS) if found[n] != f"value{n}".encode()]


async def test_no_cancelled_caller_leaves_its_answer_to_another(url: str) -> None:
    chance = random.Random(7)
    answers: list[object] = []
    async with asking(url) as (_, guard):
        await fill(guard)
        for _ in range(20):
            numbers = [chance.randrange(KEYS) for _ in range(10)]
            tasks = [
                asyncio.ensure_future(read(guard, n, by_script=chance.random() < 0.5))
                for n in numbers
            ]
            for task in tasks:
                asyncio.get_running_loop().call_later(chance.uniform(0, 0.003), task.cancel)
            found = await asyncio.gather(*tasks, return_exceptions=True)
            answers += found
            for n, answer in zip(numbers, found, strict=True):
                right = (f"value{n}".encode(), asyncio.CancelledError)
                assert answer == right[0] or isinstance(answer, right[1])
            assert await wrong_answers(guard) == []

        assert not guard.is_away
    cancelled = [answer for answer in answers if isinstance(answer, asyncio.CancelledError)]
    assert len(answers) == 200
    if url != "embedded://":  # there an operation is over before anybody can cancel it
        assert 20 < len(cancelled) < 200


async def test_an_unread_answer_would_be_seen(cluster: RedisCluster) -> None:
    async with asking(cluster.url) as (client, guard):
        await fill(guard)
        await leave_unread(client)

        assert await wrong_answers(guard) != []


async def leave_unread(client: Client) -> None:
    """Do what a client must never do: give back a connection with an answer in it."""
    for node in client.get_primaries():  # type: ignore[union-attr]
        connection = node.acquire_connection()
        await connection.send_command("PING")
        node.release(connection)


async def test_a_client_may_be_closed_while_callers_ask(server: RedisServer) -> None:
    client = connect(server.url)
    guard = Guard(client)
    server.pause()
    try:
        asked = [asyncio.ensure_future(read(guard, n, by_script=False)) for n in range(5)]
        await asyncio.sleep(0.01)
        await guard.aclose()
        await client.aclose()
    finally:
        server.go_on()

    found = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(answer, BaseException) for answer in found)
