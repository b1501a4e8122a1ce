"""Whole histories read page by page, by two processes in turn, while Redis suffers."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import product
from random import Random

import pytest
from faults import DAMAGES, FAULTS, Damage, Fault, flushed, nothing
from histories import change
from list_provider import PAGINGS, ListProvider, TestClock
from msgspec.structs import replace
from processes import (
    NOW,
    gateway,
    is_away,
    keys_listed,
    keys_paged,
    keys_read,
    keys_read_anew,
    until,
)
from reading import seen, settled
from redis_server import RedisServer, needs_redis, redis_server

from app.history.window import Window
from app.mirror.mirror import Mirror
from app.mirror.timeline import Key
from app.model.errors import UpstreamUnavailable

pytestmark = needs_redis
each_fault = pytest.mark.parametrize("name", FAULTS)
# Each of these keeps a test waiting until Redis is used again.
SLOW = ("restarted", "stopped", "paused")
# Several rows of one second, and so many blocks that some may vanish and others stay.
ROWS = [change(second // 3, 1 + second % 2) for second in range(600, 0, -1)]


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    with running.client() as client:
        client.flushall()
    return running


async def paged_through(
    server: RedisServer, provider: ListProvider, fault: Fault, seed: int
) -> tuple[list[Key], list[Key]]:
    """Read a history in pages of 120 rows while the fault strikes and, by seed, entries arrive.

    Returns the pages' rows, and those that a process of its own reads in the end.
    """
    clock, newest, chance = TestClock(), provider.listed()[0], Random(seed)

    async with AsyncExitStack() as stack:
        mirrors = [
            await stack.enter_async_context(gateway(provider, clock, server.url)) for _ in range(2)
        ]

        async def between() -> None:
            await asyncio.sleep(chance.choice([0, 0.001, 0.005]))
            for _ in range(chance.randint(0, 3 * seed)):
                provider.add(replace(newest))
            clock.move(chance.choice([0, 10, 70]))
            if chance.random() < 0.6:
                await fault(server, chance)
            await back(mirrors, chance)

        paged = await keys_paged(mirrors, 120, between)
        await until(lambda: not any(map(is_away, mirrors)))
    clock.move(1)
    return paged, await keys_read_anew(provider, clock, server.url, NOW)


async def back(mirrors: list[Mirror], chance: Random) -> None:
    """At times, wait until Redis is used again and what was begun has ended."""
    if chance.random() < 0.4:
        await until(lambda: not any(map(is_away, mirrors)))
    if chance.random() < 0.5:
        for mirror in mirrors:
            await settled(mirror)


@pytest.mark.parametrize(
    ("name", "paging", "seed"),
    [
        *((name, paging, 1) for name, paging in zip(SLOW, PAGINGS, strict=True)),
        *product(sorted(FAULTS.keys() - set(SLOW)), PAGINGS, range(3)),
    ],
)
async def test_pages_are_the_history_as_it_was_whatever_befalls_redis(
    name: str, paging: str, seed: int, server: RedisServer
) -> None:
    provider = ListProvider(ROWS, paging, page_size=40)
    expected = keys_listed(provider)

    paged, in_the_end = await paged_through(server, provider, FAULTS[name], seed)

    assert paged == expected
    assert in_the_end == keys_listed(provider)


async def test_a_mirror_that_repeats_its_newest_page_would_be_noticed(server: RedisServer) -> None:
    class Shifting(ListProvider):
        """Its pages shift and do not say so, as a cache of pages would have them."""

        async def page(self, *asked):  # type: ignore[no-untyped-def] # noqa: ANN002, ANN202
            return (await super().page(*asked))._replace(shifts=False)

    provider = Shifting([replace(row, has_own_id=False) for row in ROWS], "cursor", page_size=40)
    expected = keys_listed(provider)
    provider.paging = "page"

    paged, _ = await paged_through(server, provider, nothing, seed=1)

    assert paged != expected


@each_fault
async def test_with_the_provider_dead_too_what_is_known_is_served(
    name: str, server: RedisServer
) -> None:
    provider, clock = ListProvider(ROWS, "cursor", page_size=200), TestClock()
    chance = Random(name)
    expected = keys_listed(provider)
    async with (
        gateway(provider, clock, server.url) as one,
        gateway(provider, clock, server.url) as other,
    ):
        assert await keys_read(one) == await keys_read(other) == expected
        provider.error = UpstreamUnavailable("dead")
        for _ in range(3):
            clock.move(61)
            await FAULTS[name](server, chance)

            assert await keys_read(one) == expected
            assert await keys_read(other) == expected


@pytest.mark.parametrize("name", ["keys_deleted", "fields_damaged", "scripts_flushed", "deafened"])
async def test_with_the_provider_dead_a_process_that_worked_alone_forgets_nothing(
    name: str, server: RedisServer
) -> None:
    provider, clock, chance = ListProvider(ROWS, "cursor", page_size=40), TestClock(), Random(name)
    async with gateway(provider, clock, server.url) as alone:
        await seen(alone, Window(100))
        server.pause()
        expected = await keys_read(alone)
        provider.error = UpstreamUnavailable("dead")
        server.go_on()
        await until(lambda: not is_away(alone))
        await FAULTS[name](server, chance)

        assert await keys_read(alone) == expected == keys_listed(provider)


async def test_with_the_provider_dead_what_others_know_less_of_is_not_forgotten(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(ROWS, "cursor", page_size=40), TestClock()
    async with (
        gateway(provider, clock, server.url) as deep,
        gateway(provider, clock, server.url) as shallow,
    ):
        expected = await keys_read(deep)
        await flushed(server, Random(0))
        clock.move(10)
        await seen(shallow, Window(50))
        provider.error = UpstreamUnavailable("dead")

        assert await keys_read(deep) == expected


@pytest.mark.parametrize("field", ["v", "s", "n", "f", "e", "block"])
@pytest.mark.parametrize("damage", [*DAMAGES, None])
async def test_a_damaged_field_costs_calls_and_is_mended(
    damage: Damage | None, field: str, server: RedisServer
) -> None:
    provider, clock, chance = ListProvider(ROWS, "cursor", page_size=200), TestClock(), Random(1)
    expected = await keys_read_anew(provider, clock, server.url)
    with server.client() as client:
        (key,) = client.keys("*")
        block = client.hget(key, "n").split()[1]
        name = block if field == "block" else field
        whole = client.hget(key, name) or b"never there"
        client.hset(key, name, damage(whole, chance)) if damage else client.hdel(key, name)

    assert await keys_read_anew(provider, clock, server.url) == expected
    mended = provider.calls
    assert await keys_read_anew(provider, clock, server.url) == expected
    assert provider.calls == mended


async def test_with_the_provider_dead_too_who_knows_nothing_is_told_so(
    server: RedisServer,
) -> None:
    provider, clock = ListProvider(ROWS, "cursor", page_size=200), TestClock()
    await keys_read_anew(provider, clock, server.url)
    provider.error = UpstreamUnavailable("dead")
    known = await keys_read_anew(provider, clock, server.url)
    await flushed(server, Random(0))

    with pytest.raises(UpstreamUnavailable):
        await keys_read_anew(provider, clock, server.url)

    assert known == keys_listed(provider)
