"""Two processes that want the same of one provider."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from time import monotonic

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, ListProvider, TestClock
from processes import NAME, NOW, gateway, keeper_of, until
from reading import settled
from redis import Redis
from redis_server import RedisServer, needs_redis, redis_server

from app.mirror.store import LEASE
from app.model.errors import UpstreamRateLimited, UpstreamUnavailable

pytestmark = needs_redis
TEN = [change(second) for second in range(10, 0, -1)]


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    emptied(running)
    return running


def emptied(server: RedisServer) -> None:
    """Let Redis forget what was written by a try before."""
    with server.client() as client:
        client.flushall()


@pytest.mark.parametrize("shared", [True, False])
async def test_of_two_processes_one_asks_and_both_get_the_answer(
    shared: bool,  # noqa: FBT001
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    other_url = server.url if shared else f"{server.url[:-1]}1"
    provider.gate.clear()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, other_url) as other,
    ):
        readings = [asyncio.ensure_future(each.read(ACCOUNT, CHANGES)) for each in (one, other)]
        await until(lambda: provider.calls == (1 if shared else 2))
        await asyncio.sleep(0.5)
        provider.gate.set()
        first, second = await asyncio.gather(*readings)

    assert first.snapshot.entries == second.snapshot.entries
    assert provider.calls == (1 if shared else 2)


async def test_a_long_call_is_waited_for_beyond_the_lease_while_its_process_lives(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    provider.gate.clear()
    emptied(server)
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        readings = [asyncio.ensure_future(each.read(ACCOUNT, CHANGES)) for each in (one, other)]
        await asyncio.sleep(LEASE.total_seconds() + 0.7)
        calls = provider.calls
        provider.gate.set()
        await asyncio.gather(*readings)

    assert calls == provider.calls == 1


async def test_who_ends_in_good_order_is_taken_over_from_before_its_lease_ends(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    provider.gate.clear()
    emptied(server)
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        ended = asyncio.ensure_future(one.read(ACCOUNT, CHANGES))
        await until(lambda: provider.calls > 0)
        waiting = asyncio.ensure_future(other.read(ACCOUNT, CHANGES))
        await asyncio.sleep(0.1)
        began = monotonic()
        await one.aclose()
        provider.gate.set()
        reading = await waiting
        waited = monotonic() - began
        await asyncio.gather(ended, return_exceptions=True)

    assert len(reading.snapshot.entries) == 3
    assert waited < LEASE.total_seconds() / 2


async def test_a_failure_is_told_and_its_time_holds_and_a_success_clears_it_for_all(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    provider.gate.clear()
    provider.error = UpstreamRateLimited("slower", retry_at=clock() + timedelta(seconds=60))
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
        gateway(provider, clock, server.url) as third,
    ):
        readings = [asyncio.ensure_future(each.read(ACCOUNT, CHANGES)) for each in (one, other)]
        await until(lambda: provider.calls > 0)
        provider.gate.set()
        errors = await asyncio.gather(*readings, return_exceptions=True)
        clock.move(59)
        with pytest.raises(UpstreamRateLimited) as told:
            await third.read(ACCOUNT, CHANGES)
        calls = provider.calls
        provider.error = None
        clock.move(2)
        await third.read(ACCOUNT, CHANGES)
        await other.read(ACCOUNT, CHANGES)
        await one.read(ACCOUNT, CHANGES)
        left = [keeper_of(each).failures.last(NAME) for each in (one, other, third)]

    assert [type(error) for error in errors] == [UpstreamRateLimited] * 2
    assert told.value.retry_at == clock.now - timedelta(seconds=1)
    assert calls == 1
    assert provider.calls == 2
    assert left == [None] * 3


async def test_a_failure_to_read_further_is_over_for_all_when_one_could(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        await one.read(ACCOUNT, CHANGES)
        clock.move(1)
        provider.error = UpstreamUnavailable("dead")
        with pytest.raises(UpstreamUnavailable):
            await one.deepen(ACCOUNT, CHANGES, None)
        await other.read(ACCOUNT, CHANGES)
        provider.error = None
        clock.move(2)
        await other.deepen(ACCOUNT, CHANGES, None)
        reading = await one.read(ACCOUNT, CHANGES, NOW)

        assert reading.snapshot.complete
        assert keeper_of(one).failures.last(NAME) is None


async def test_a_failure_that_redis_did_not_hear_of_holds_where_it_was_met() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    with redis_server() as server:
        async with gateway(provider, clock, server.url) as mirror:
            await mirror.read(ACCOUNT, CHANGES)
            server.pause()
            clock.move(61)
            provider.error = UpstreamRateLimited("slower", retry_at=clock() + timedelta(seconds=60))
            await mirror.read(ACCOUNT, CHANGES, NOW)
            server.go_on()
            await until(lambda: not keeper_of(mirror)._store.is_away)
            calls = provider.calls
            clock.move(30)
            reading = await mirror.read(ACCOUNT, CHANGES, NOW)

    assert reading.is_stale
    assert isinstance(reading.error, UpstreamRateLimited)
    assert provider.calls == calls


async def test_a_lease_is_given_back_with_what_is_written_last(server: RedisServer) -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with gateway(provider, clock, server.url) as one:
        await one.read(ACCOUNT, CHANGES)
        trips = []
        for error in (None, UpstreamUnavailable("dead")):
            provider.error = error
            clock.move(61)
            with server.client() as client:
                client.config_resetstat()
                await one.read(ACCOUNT, CHANGES, NOW)
                await settled(one)
                assert not client.keys("*:lease")
                trips.append(scripts_run(client))

    # Looked and written; looked, noted why not, and given back.
    assert trips == [2, 3]


def scripts_run(client: Redis) -> int:
    counts = client.info("commandstats")
    return sum(counts.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))
