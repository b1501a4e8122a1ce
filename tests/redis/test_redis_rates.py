"""No caller gets more than its rate from all processes together, and few requests ask Redis."""

import asyncio
from datetime import timedelta
from time import monotonic

import pytest
from asking import asking
from redis_cluster import RedisCluster
from redis_server import RedisServer, needs_redis
from taking import (
    HOURLY,
    SECRET,
    WHO,
    Times,
    a_minute,
    allowed,
    ask,
    asked_redis,
    processes,
    reset_counts,
    several,
    undisturbed,
)

from app.redis.guard import Guard
from app.redis.rates import Allowance, Rates

pytest_plugins = ("redis_fixtures",)

RATE = a_minute(600)


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_processes_together_allow_the_rate_and_no_more(server: RedisServer) -> None:
    async def play(all_of_them: list[Rates]) -> int:
        found = await asyncio.gather(*(ask(one, HOURLY, 400) for one in all_of_them))
        return sum(map(allowed, found))

    assert 0.98 * HOURLY.count <= await undisturbed(server, 4, play) <= HOURLY.count + 1


async def test_processes_that_share_no_redis_would_allow_more() -> None:
    async with several("embedded://", 4) as all_of_them:  # each has one of its own
        found = await asyncio.gather(*(ask(one, HOURLY, 400) for one in all_of_them))

    assert sum(map(allowed, found)) == 4 * 400


@needs_redis
def test_processes_of_their_own_share_one_bucket(server: RedisServer) -> None:
    seconds = 3.0
    rate = Times(1200, timedelta(minutes=1))

    told = None
    for _ in range(4):
        with server.client() as client:
            client.flushall()
        told = told or processes(server.url, 3, rate, seconds)

    assert told, "this machine is too busy to hear Redis"
    lasted = max(ended for *_, ended in told) - min(began for _, began, _ in told)
    back = lasted * rate.count / rate.per.total_seconds()
    total = sum(count for count, *_ in told)
    assert 0.95 * rate.count <= total <= rate.count + back + 1
    assert min(count for count, *_ in told) > 0


async def test_one_process_that_gets_nearly_all_requests_may_use_nearly_all(
    server: RedisServer,
) -> None:
    async def play(all_of_them: list[Rates]) -> int:
        busy, *others = all_of_them
        found = []
        for _ in range(10):
            for one in others:
                found += await ask(one, HOURLY, 1)
            found += await ask(busy, HOURLY, 60)
        return allowed(found)

    assert 0.9 * HOURLY.count <= await undisturbed(server, 4, play) <= HOURLY.count + 1


async def test_processes_that_took_a_batch_and_ask_no_more_leave_the_others_most(
    server: RedisServer,
) -> None:
    async def play(all_of_them: list[Rates]) -> tuple[int, int]:
        busy, *gone = all_of_them
        # Each of them has most of a batch left.
        before = sum([allowed(await ask(one, HOURLY, 31)) for one in gone])
        return before, allowed(await ask(busy, HOURLY, 700))

    before, after = await undisturbed(server, 3, play)

    assert before == 62
    assert 0.9 * HOURLY.count <= before + after <= HOURLY.count + 1


async def test_a_burst_asks_redis_for_a_tenth_of_its_requests(server: RedisServer) -> None:
    async with several(server.url, 1) as (rates,):
        reset_counts(server)
        found = [await rates.take(WHO, HOURLY) for _ in range(600)]
        trips = asked_redis(server)

    assert allowed(found) == 600
    assert trips <= 65


async def test_a_caller_within_its_rate_is_never_refused_and_seldom_asks_redis(
    server: RedisServer,
) -> None:
    rate = a_minute(6000)
    async with several(server.url, 1) as (rates,):
        await ask(rates, rate, 6000)
        await asyncio.sleep(0.3)  # the bucket is nearly empty from here on
        reset_counts(server)
        found = []
        for _ in range(100):
            found.append(await rates.take(WHO, rate))
            await asyncio.sleep(1 / 60)
        trips = asked_redis(server)

    assert allowed(found) >= 99
    assert trips <= 60


async def test_who_was_refused_is_refused_without_asking(server: RedisServer) -> None:
    rate = a_minute(60)
    async with several(server.url, 1) as (rates,):
        assert allowed(await ask(rates, rate, 100)) <= 61
        reset_counts(server)
        began = monotonic()
        found = [await rates.take(WHO, rate) for _ in range(3000)]
        seconds = monotonic() - began
        trips = asked_redis(server)

    assert allowed(found) <= seconds + 1
    # A token comes back each second: asked for once, and once more in vain.
    assert trips <= 2 * (seconds + 1)
    assert all(0 < one.retry_after_seconds <= 1 for one in found if not one.allowed)


async def test_waiting_as_long_as_told_is_enough(server: RedisServer) -> None:
    rate = Times(20, timedelta(seconds=1))
    async with several(server.url, 1) as (rates,):
        refused = (await ask(rates, rate, 60))[-1]
        assert not refused.allowed
        await asyncio.sleep(refused.retry_after_seconds)

        assert (await rates.take(WHO, rate)).allowed


async def test_what_is_left_of_a_batch_is_not_used_later_but_given_back(
    server: RedisServer,
) -> None:
    clock = Hands()
    async with asking(server.url) as (_, guard):
        rates = Rates(guard, secret=SECRET, clock=clock)
        for _ in range(8):  # 1, 2, 4, and the first of a batch of 8
            before = await rates.take(WHO, HOURLY)
        reset_counts(server)
        clock.now += 0.9
        assert (await rates.take(WHO, HOURLY)).allowed
        assert asked_redis(server) == 0
        clock.now += 0.2
        after = await rates.take(WHO, HOURLY)

        assert asked_redis(server) == 1
        assert (before.remaining, after.remaining) == (592, 590)
        # Beside the ten that were used one is held, and one is what it takes to look.
        assert await in_redis(guard) == 600 - 10 - 1 - 1


async def in_redis(guard: Guard) -> int:
    """Return how many tokens are left, by what another process is told."""
    return (await Rates(guard, secret=SECRET).take(WHO, HOURLY)).remaining


async def test_who_asks_now_and_then_holds_nothing(server: RedisServer) -> None:
    clock = Hands()
    async with asking(server.url) as (_, guard):
        rates = Rates(guard, secret=SECRET, clock=clock)
        for _ in range(4):
            await rates.take(WHO, HOURLY)
            clock.now += 5

        assert await in_redis(guard) == 600 - 4 - 1


async def test_a_short_period_has_shorter_batches(server: RedisServer) -> None:
    clock, rate = Hands(), Times(600, timedelta(seconds=6))
    async with asking(server.url) as (_, guard):
        rates = Rates(guard, secret=SECRET, clock=clock)
        for _ in range(8):
            await rates.take(WHO, rate)
        reset_counts(server)
        clock.now += 0.11
        await rates.take(WHO, rate)

        assert asked_redis(server) == 1


async def test_redis_is_not_told_who_asks_and_forgets_by_itself(server: RedisServer) -> None:
    async with several(server.url, 1) as (rates,):
        await ask(rates, RATE, 30)
        with server.client() as client:
            keys = [key for key in client.scan_iter() if key != b"warm"]
            lives = [client.pttl(key) for key in keys]
            written = b" ".join([*keys, *(client.get(key) or b"" for key in keys)])

    assert len(keys) == 1
    assert b"anna" not in written
    assert 0 < lives[0] <= 60_000


async def test_another_secret_or_another_rate_is_another_bucket(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        await Rates(guard, secret=b"one").take(WHO, RATE)
        await Rates(guard, secret=b"two").take(WHO, RATE)
        await Rates(guard, secret=b"two").take(WHO, HOURLY)
        with server.client() as client:
            keys = {key for key in client.scan_iter() if key != b"warm"}

    assert len(keys) == 3


async def test_callers_are_counted_apart(server: RedisServer) -> None:
    async with several(server.url, 1) as (rates,):
        found = [allowed(await ask(rates, a_minute(30), 40, who)) for who in ("a", "b")]

    assert found == [30, 30]


@pytest.mark.parametrize("form", ["embedded", "cluster"])
async def test_every_form_of_redis_counts_alike(form: str, request: pytest.FixtureRequest) -> None:
    url = "embedded://"
    if form == "cluster":
        found: RedisCluster = request.getfixturevalue("cluster")
        url = found.url
    who = [f"caller {number}" for number in range(5)]
    async with several(url, 1) as (rates,):
        counts = [allowed(await ask(rates, Times(50, timedelta(hours=1)), 70, one)) for one in who]

    assert counts == [50] * 5


async def test_a_caller_that_goes_away_leaves_the_others_what_they_may_have(
    server: RedisServer,
) -> None:
    async with several(server.url, 1) as (rates,):
        asked = [asyncio.ensure_future(rates.take(WHO, HOURLY)) for _ in range(100)]
        await asyncio.sleep(0)
        for one in asked[::2]:
            one.cancel()
        found = await asyncio.gather(*asked, return_exceptions=True)
        more = await ask(rates, HOURLY, 700)

    there = [one for one in found if isinstance(one, Allowance)]
    assert len(there) == 50
    assert all(one.allowed for one in there)
    assert 0.9 * HOURLY.count <= 50 + allowed(more) <= HOURLY.count + 1
