"""What one process purges or renews, as the others see it."""

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, TestClock
from processes import NAME, NOW, HeldProvider, gateway, keeper_of, until
from reading import seen, settled
from redis_server import RedisServer, needs_redis, redis_server

from app.history.window import Window
from app.mirror.mirror import Mirror
from app.mirror.snapshot import Snapshot
from app.redis.guard import RedisAway

pytestmark = needs_redis
OLD = [change(second, 1) for second in range(40, 0, -1)]
NEW = [change(second, 2) for second in range(40, 0, -1)]


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    with running.client() as client:
        client.flushall()
    return running


async def amounts(mirror: Mirror) -> set[int]:
    found = await seen(mirror, Window(100))
    return {int(row.entry.amount.amount) for row in found.rows}


async def purge(mirror: Mirror) -> None:
    """Purge the account, again where a busy machine did not hear Redis in time."""
    while True:
        try:
            return await mirror.purge(ACCOUNT.id, ACCOUNT.revision)
        except RedisAway:
            await asyncio.sleep(0.1)


async def renewed_by(mirror: Mirror, clock: TestClock) -> Snapshot:
    """Return a mirror that was read anew and is in Redis."""
    while True:
        clock.move(10)
        reading = await mirror.read(ACCOUNT, CHANGES, NOW)
        if keeper_of(mirror)._memory.is_current(NAME):
            return reading.snapshot


async def deafen(server: RedisServer, mirror: Mirror) -> None:
    """Cut the connection on which a process hears of changes, for as long as it does not notice."""
    with server.client() as client:
        client.client_kill_filter(_type="pubsub")
    await until(lambda: not keeper_of(mirror)._changes.is_live)


async def test_what_was_purged_leaves_the_memory_of_all_processes_within_a_second(
    server: RedisServer,
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        await amounts(one)
        before = await amounts(other)
        provider.show(NEW)
        unpurged = await amounts(other)

        await purge(one)
        began = monotonic()
        await until(lambda: keeper_of(other)._memory.get(NAME) is None)

        assert monotonic() - began < 5
        assert before == unpurged == {1}
        assert await amounts(other) == await amounts(one) == {2}


@pytest.mark.parametrize("work", ["newest", "refresh", "deepen", "rebuild"])
async def test_a_fetch_under_way_writes_nothing_back_that_was_purged(
    work: str, server: RedisServer
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        if work != "newest":
            await (amounts(one) if work == "rebuild" else one.read(ACCOUNT, CHANGES))
        clock.move(61)
        calls = provider.calls
        provider.may_answer.clear()
        under_way: asyncio.Future[Any] | None
        if work == "deepen":
            under_way = asyncio.ensure_future(one.deepen(ACCOUNT, CHANGES, None))
        elif work == "rebuild":
            under_way = one.rebuild(ACCOUNT, CHANGES)
        else:
            under_way = asyncio.ensure_future(one.read(ACCOUNT, CHANGES, NOW))
        assert under_way
        await until(lambda: provider.calls > calls)
        await purge(other)
        provider.show(NEW)
        after = asyncio.ensure_future(amounts(one))
        await asyncio.sleep(0.1)
        provider.may_answer.set()
        await under_way
        await settled(one)

        assert await after == {2}
        assert await amounts(one) == {2}
        assert await amounts(other) == {2}


async def test_who_missed_a_purge_does_not_bring_back_what_it_remembers(
    server: RedisServer,
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as deaf,
    ):
        await amounts(deaf)
        await keeper_of(deaf)._changes.aclose()
        await purge(one)
        provider.show(NEW)
        await seen(one, Window(2))

        assert await amounts(deaf) == {2}


@pytest.mark.parametrize("hears", [True, False])
async def test_what_one_process_reads_another_serves_though_its_own_is_fresh(
    hears: bool,  # noqa: FBT001
    server: RedisServer,
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        await one.read(ACCOUNT, CHANGES)
        before = (await other.read(ACCOUNT, CHANGES)).snapshot
        if not hears:
            await deafen(server, other)
        provider.add(change(41))
        renewed = await renewed_by(one, clock)
        began, calls = monotonic(), provider.calls
        reading = await other.read(ACCOUNT, CHANGES)
        while reading.snapshot.version != renewed.version and monotonic() - began < 5:
            await asyncio.sleep(0.01)
            reading = await other.read(ACCOUNT, CHANGES)

        assert reading.snapshot.version == renewed.version
        assert len(reading.snapshot.entries) == len(before.entries) + 1
        assert provider.calls == calls


async def test_without_word_a_process_would_go_on_with_its_own(server: RedisServer) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    with server.client() as client:
        client.flushall()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        before = (await other.read(ACCOUNT, CHANGES)).snapshot
        keeper_of(other)._changes._listeners.clear()
        provider.add(change(41))
        await renewed_by(one, clock)
        await asyncio.sleep(0.2)

        assert (await other.read(ACCOUNT, CHANGES)).snapshot.version == before.version
