"""Mirrors in a real Redis, and without one."""

import random
import time
from collections.abc import Iterator

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, PAGINGS, ListProvider, TestClock, mirror_of
from processes import is_away, until
from reading import seen, settled
from redis_server import RedisServer, needs_redis, redis_server

from app.history.window import Window
from app.redis.connection import answers, connect

pytestmark = needs_redis
each_paging = pytest.mark.parametrize("paging", PAGINGS)
FORTY = [change(second, 1 + second % 3) for second in range(40, 0, -1)]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(server: RedisServer) -> None:
    with server.client() as client:
        client.flushall()


async def amounts(provider: ListProvider, clock: TestClock, url: str) -> list[int]:
    """Read a whole history in a process of its own that knows nothing yet."""
    redis = connect(url)
    try:
        async with mirror_of(provider, clock, redis=redis) as mirror:
            found = await seen(mirror, Window(100))
    finally:
        await redis.aclose()
    return [int(row.entry.amount.amount) for row in found.rows]


@each_paging
async def test_another_process_reads_what_one_has_read(paging: str, server: RedisServer) -> None:
    provider, clock = ListProvider(FORTY, paging), TestClock()
    first = await amounts(provider, clock, server.url)
    before = provider.calls

    second = await amounts(provider, clock, server.url)

    assert len(first) == 40
    assert second == first
    assert provider.calls == before


async def test_without_the_redis_another_process_asks_the_provider_again() -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    await amounts(provider, clock, "embedded://")
    before = provider.calls

    await amounts(provider, clock, "embedded://")

    assert provider.calls == 2 * before


@each_paging
@pytest.mark.parametrize("seed", range(5))
async def test_keys_that_vanish_cost_calls_and_nothing_else(
    paging: str, seed: int, server: RedisServer
) -> None:
    chance = random.Random(seed)
    provider, clock = ListProvider(FORTY, paging), TestClock()
    expected = await amounts(provider, clock, server.url)
    with server.client() as client:
        for _ in range(6):
            for key in list(client.scan_iter()):
                if chance.random() < 0.5:
                    client.delete(key)

            assert await amounts(provider, clock, server.url) == expected


async def test_two_processes_that_read_on_at_once_keep_one_history(server: RedisServer) -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    one, other = connect(server.url), connect(server.url)
    async with (
        mirror_of(provider, clock, redis=one) as first,
        mirror_of(provider, clock, redis=other) as second,
    ):
        await seen(first, Window(5))
        await seen(second, Window(20))
        await seen(first, Window(30))
        await seen(second, Window(40))
        await seen(first, Window(40))
    await one.aclose()
    await other.aclose()

    assert await amounts(provider, clock, server.url) == [int(row.amount.amount) for row in FORTY]


async def test_what_cannot_be_decoded_is_read_again(server: RedisServer) -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    expected = await amounts(provider, clock, server.url)
    with server.client() as client:
        (key,) = client.keys("*")
        (block,) = client.hget(key, "n").decode().split()
        assert client.hset(key, block, b"\xff damaged") == 0

    assert await amounts(provider, clock, server.url) == expected


async def test_answers_read_with_other_settings_are_not_served(server: RedisServer) -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    await amounts(provider, clock, server.url)
    before = provider.calls
    provider.translation = "2"

    await amounts(provider, clock, server.url)

    assert provider.calls == 2 * before


async def test_everything_is_answered_while_redis_is_dead_and_it_is_used_again_after() -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    with redis_server() as server:
        redis = connect(server.url)
        async with mirror_of(provider, clock, redis=redis) as mirror:
            await seen(mirror, Window(10))
            server.kill()

            found = await seen(mirror, Window(100))

            assert len(found.rows) == 40
            server.start()
            await until(lambda: not is_away(mirror))
            clock.move(61)
            await seen(mirror, Window(100))
            await settled(mirror)
        await redis.aclose()
        before = provider.calls

        assert len(await amounts(provider, clock, server.url)) == 40
        assert provider.calls == before


async def test_a_redis_that_hangs_is_waited_for_once_and_shortly() -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    with redis_server() as server:
        redis = connect(server.url)
        async with mirror_of(provider, clock, redis=redis) as mirror:
            await seen(mirror, Window(10))
            server.pause()

            started = time.monotonic()
            for _ in range(50):
                await seen(mirror, Window(10))
            waited = time.monotonic() - started

            server.go_on()
        await redis.aclose()

    # Fifty readers who each waited would have waited for more than seven seconds.
    assert waited < 50 * 0.15 / 3


async def test_what_was_read_while_redis_hung_is_shared_when_it_is_back() -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    with redis_server() as server:
        redis = connect(server.url)
        async with mirror_of(provider, clock, redis=redis) as mirror:
            await seen(mirror, Window(10))
            server.pause()
            await seen(mirror, Window(100))
            while_it_hangs = await mirror.share(ACCOUNT, CHANGES)
            server.go_on()
            await until(lambda: not is_away(mirror))
            once_it_is_back = await mirror.share(ACCOUNT, CHANGES)
        await redis.aclose()
        before = provider.calls

        assert len(await amounts(provider, clock, server.url)) == 40

    assert (while_it_hangs, once_it_is_back) == (False, True)
    assert provider.calls == before


async def test_a_dead_redis_does_not_answer_the_check() -> None:
    with redis_server() as server:
        alive = await answers(server.url)
        server.kill()
        dead = await answers(server.url)

    assert (alive, dead) == (True, False)


@pytest.mark.parametrize("lost", ["v", "s", "n", "block"])
async def test_a_damaged_mirror_is_mended_by_who_notices_it(lost: str, server: RedisServer) -> None:
    provider, clock = ListProvider(FORTY, "cursor"), TestClock()
    await amounts(provider, clock, server.url)
    with server.client() as client:
        (key,) = client.keys("*")
        (block,) = client.hget(key, "n").decode().split()
        assert client.hdel(key, block if lost == "block" else lost) == 1
    await amounts(provider, clock, server.url)
    mended = provider.calls

    await amounts(provider, clock, server.url)

    assert provider.calls == mended


async def test_entries_read_with_other_settings_are_never_mixed(server: RedisServer) -> None:
    old_rows = [change(second, 1) for second in range(40, 0, -1)]
    new_rows = [change(second, 2) for second in range(40, 0, -1)]
    before, after = ListProvider(old_rows, "cursor"), ListProvider(new_rows, "cursor")
    after.translation = "2"
    clock, one, other = TestClock(), connect(server.url), connect(server.url)
    async with (
        mirror_of(before, clock, redis=one) as still_old,
        mirror_of(after, clock, redis=other) as already_new,
    ):
        await seen(still_old, Window(10))
        await seen(already_new, Window(10))
        await seen(still_old, Window(40))
    await one.aclose()
    await other.aclose()

    assert await amounts(before, clock, server.url) == [1] * 40
    assert await amounts(after, clock, server.url) == [2] * 40
