"""How seldom Redis is asked, however often and in how many processes a caller asks."""

import asyncio
from datetime import timedelta
from time import monotonic

import pytest
from redis_server import RedisServer
from taking import HOURLY, WHO, Times, allowed, ask, asked_redis, reset_counts, several

pytest_plugins = ("redis_fixtures",)


async def test_many_who_ask_at_once_ask_redis_together(server: RedisServer) -> None:
    async with several(server.url, 1) as (rates,):
        reset_counts(server)
        found = await asyncio.gather(*(rates.take(WHO, HOURLY) for _ in range(200)))
        trips = asked_redis(server)

    assert allowed(found) == 200
    # The first alone, then a tenth of what is left each time.
    assert trips <= 8


async def test_a_bucket_that_another_process_emptied_is_asked_for_once(
    server: RedisServer,
) -> None:
    async with several(server.url, 2) as (busy, other):
        await ask(busy, HOURLY, 700)
        reset_counts(server)
        found = await ask(other, HOURLY, 500)
        trips = asked_redis(server)

    assert allowed(found) <= 1
    assert trips <= 3


@pytest.mark.alone
async def test_a_high_rate_that_is_overdriven_asks_for_many_at_once(server: RedisServer) -> None:
    rate = Times(2000, timedelta(seconds=1))
    async with several(server.url, 2) as (busy, other):
        await ask(busy, rate, 4000)
        reset_counts(server)
        began, found = monotonic(), 0
        while monotonic() < began + 0.5:
            found += allowed(await ask(other, rate, 20))
            await asyncio.sleep(0.0005)
        trips = asked_redis(server)

    assert found >= 500
    assert trips <= found / 10


async def test_a_redis_that_takes_no_writes_is_not_asked_again_and_again(
    server: RedisServer,
) -> None:
    async with several(server.url, 1) as (rates,):
        assert allowed(await ask(rates, HOURLY, 50)) == 50
        with server.client() as client:
            client.config_set("maxmemory", "1")
        try:
            reset_counts(server)
            found = await ask(rates, HOURLY, 700)
            trips = asked_redis(server)
        finally:
            with server.client() as client:
                client.config_set("maxmemory", "0")

    assert allowed(found) == 550
    assert trips <= 3
