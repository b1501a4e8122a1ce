"""What a process that has read a mirror still asks of Redis."""

from collections.abc import Iterator

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, ListProvider, TestClock
from processes import gateway, keeper_of
from redis_server import RedisServer, needs_redis, redis_server

pytestmark = needs_redis
TEN = [change(second) for second in range(10, 0, -1)]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def asked(server: RedisServer) -> dict[str, int]:
    """Return how often Redis was asked what, beside what keeps a subscription up."""
    with server.client() as client:
        stats = client.info("commandstats")
        client.config_resetstat()
    calls = {name.removeprefix("cmdstat_"): one["calls"] for name, one in stats.items()}
    others = ("ping", "subscribe", "info", "config|resetstat", "client|setinfo", "select", "hello")
    return {name: count for name, count in calls.items() if name not in others}


async def test_what_is_current_is_read_without_redis(server: RedisServer) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with gateway(provider, clock, server.url) as mirror:
        await mirror.read(ACCOUNT, CHANGES)
        asked(server)
        for _ in range(20):
            await mirror.read(ACCOUNT, CHANGES)

        assert asked(server) == {}


async def test_what_may_have_changed_is_read_in_one_round_trip(server: RedisServer) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with gateway(provider, clock, server.url) as mirror:
        await mirror.read(ACCOUNT, CHANGES)
        asked(server)
        for _ in range(5):
            keeper_of(mirror)._memory.doubt_all()
            await mirror.read(ACCOUNT, CHANGES)

        # The script asks for the fields of one hash, and nothing else is asked.
        assert asked(server) == {"evalsha": 5, "hmget": 5}


async def test_what_redis_told_last_is_not_taken_for_current_once_it_tells_nothing(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with gateway(provider, clock, server.url) as mirror:
        await mirror.read(ACCOUNT, CHANGES)
        keeper_of(mirror)._changes._certain_until = 0
        asked(server)
        await mirror.read(ACCOUNT, CHANGES)

        assert asked(server)["evalsha"] == 1


async def test_memory_keeps_nothing_fresh_for_longer_than_its_mirror_is(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with gateway(provider, clock, server.url) as mirror:
        await mirror.read(ACCOUNT, CHANGES)
        clock.move(59)
        fresh = await mirror.read(ACCOUNT, CHANGES)
        provider.gate.clear()
        clock.move(2)
        stale = await mirror.read(ACCOUNT, CHANGES)
        provider.gate.set()

    assert not fresh.is_stale
    assert stale.is_stale
