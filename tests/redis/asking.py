"""What the tests of Redis ask, and how they wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import perf_counter

from app.redis.changes import Changes
from app.redis.connection import Client, connect
from app.redis.guard import Guard, RedisAway

CHANNEL = "changes"


@asynccontextmanager
async def asking(url: str, *, cold: bool = False) -> AsyncIterator[tuple[Client, Guard]]:
    """Return a client and its guard, as a process has them; unless cold, they are connected."""
    client = connect(url)
    guard = Guard(client)
    try:
        if not cold:
            # On a busy machine the first look at a Cluster can take longer than a caller waits.
            await until_written(guard, "warm", "yes")
        yield client, guard
    finally:
        await guard.aclose()
        await client.aclose()


@asynccontextmanager
async def hearing(url: str) -> AsyncIterator[tuple[Changes, Guard, list[str]]]:
    """Return a live subscription, a guard to publish with, and what is heard; None is a loss."""
    heard: list[str] = []
    async with asking(url) as (client, guard):
        changes = Changes(client, CHANNEL)
        changes.listen(heard.append, lambda: heard.append("(lost)"))
        changes.start()
        try:
            await until(lambda: changes.is_live)
            yield changes, guard, heard
        finally:
            await changes.aclose()


async def until(holds: Callable[[], bool], seconds: float = 60) -> float:
    """Return after how many seconds it holds."""
    began = perf_counter()
    while not holds():
        assert perf_counter() < began + seconds, "it does not come to hold"
        await asyncio.sleep(0.01)
    return perf_counter() - began


async def written(guard: Guard, key: str, value: str) -> bool:
    """Say whether a value could be written and read again."""
    try:
        await guard.ask(lambda client: client.set(key, value))
        return await guard.ask(lambda client: client.get(key)) == value.encode()
    except RedisAway:
        return False


async def until_written(guard: Guard, key: str, value: str, seconds: float = 60) -> float:
    """Return after how many seconds values can be written again."""
    began = perf_counter()
    while not await written(guard, key, value):
        assert perf_counter() < began + seconds, "Redis stays away"
        await asyncio.sleep(0.02)
    return perf_counter() - began


async def until_published(changes: Changes, guard: Guard, name: str, seconds: float = 60) -> None:
    """Return when Redis has taken a name to tell."""
    deadline = perf_counter() + seconds
    while True:
        try:
            return await changes.publish(guard, name)
        except RedisAway:
            assert perf_counter() < deadline, "Redis stays away"
            await asyncio.sleep(0.02)


async def timed_refusal(guard: Guard) -> float:
    """Return how many seconds it takes to be told that Redis is away."""
    began = perf_counter()
    try:
        await guard.ask(lambda client: client.get("k"))
    except RedisAway:
        return perf_counter() - began
    raise AssertionError("Redis answered")
