"""What a process allows by itself, where Redis is away or has forgotten."""

import asyncio
from datetime import timedelta
from time import monotonic

from asking import until
from redis_server import RedisServer
from taking import HOURLY, SECRET, WHO, Times, allowed, ask, several

from app.redis.connection import connect
from app.redis.guard import Guard
from app.redis.rates import _MOST_KNOWN, Rates

pytest_plugins = ("redis_fixtures",)


async def test_without_redis_a_process_allows_the_whole_rate_and_nobody_waits(
    server: RedisServer,
) -> None:
    async with several(server.url, 2) as both:
        before = allowed(await ask(both[0], HOURLY, 100))
        server.pause()
        try:
            for one in both:
                await one.take("somebody", HOURLY)  # finds out
            began = monotonic()
            found = [await ask(one, HOURLY, 700) for one in both]
            seconds = monotonic() - began
        finally:
            server.go_on()

    # What the first one had allowed before counts; the second one knows nothing of that.
    assert (before, *map(allowed, found)) == (100, 500, 600)
    # Where each of them waited, it would be minutes.
    assert seconds < 20


async def test_when_redis_is_back_the_bucket_is_shared_again(server: RedisServer) -> None:
    async with several(server.url, 2) as (one, other):
        await ask(one, HOURLY, 300)
        server.pause()
        try:
            await one.take("somebody", HOURLY)
            alone = allowed(await ask(one, HOURLY, 100))
        finally:
            server.go_on()
        guards = [one._guard, other._guard]
        await until(lambda: not any(guard.is_away for guard in guards))
        await asyncio.sleep(0.6)
        rest = [allowed(await ask(each, HOURLY, 700)) for each in (one, other)]

    assert alone == 100
    assert 300 * 0.8 <= sum(rest) <= 301
    assert rest[0] <= 200  # its own count has the hundred too


async def test_a_redis_that_forgot_everything_gives_no_process_a_second_burst(
    server: RedisServer,
) -> None:
    async with several(server.url, 1) as (rates,):
        first = allowed(await ask(rates, HOURLY, 500))
        with server.client() as client:
            client.flushall()
        second = allowed(await ask(rates, HOURLY, 500))

    assert first + second == HOURLY.count


async def test_only_so_many_callers_are_remembered() -> None:
    guard = Guard(connect("redis://127.0.0.1:1/0"))
    rates = Rates(guard, secret=SECRET)
    try:
        for number in range(10_100):
            assert (await rates.take(f"caller {number}", HOURLY)).allowed
    finally:
        await guard.aclose()

    assert len(rates._known) == 10_000


async def test_an_embedded_redis_forgets_no_caller_before_that_one_may_ask_again() -> None:
    once, often = Times(1, timedelta(hours=1)), Times(1, timedelta(milliseconds=1))
    async with several("embedded://", 2) as (rates, other):
        first = await rates.take(WHO, once)
        for number in range(_MOST_KNOWN + 100):
            await rates.take(f"caller {number}", once)
            await other.take(f"caller {number}", often)
        again = await rates.take(WHO, once)

        # Whose bucket is full again has nothing to be remembered.
        assert len(other._known) <= _MOST_KNOWN + 1
    assert (first.allowed, again.allowed) == (True, False)
