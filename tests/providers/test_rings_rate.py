"""How often a provider is asked: over all processes, with Redis away, and by a long line."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
import structlog
from adapters import START, Hands
from asking import asking
from redis_server import BINARY, RedisServer, redis_server
from taking import SECRET
from test_http_door import READ, WELL, WRITE, always, ask, door
from upstreams import Reply

from app.model.errors import UpstreamError, UpstreamRateLimited
from app.providers.call import Call, TooSoon
from app.providers.health import ProviderState
from app.providers.http import Upstream as Door
from app.redis.rates import Rates

# Ten a second come back, so that waiting for one is short; of the other nothing to speak of.
QUICK, SLOW = "10/second", "50/hour"


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    if BINARY is None:
        pytest.skip("no redis-server is installed; apt-get install redis-server brings it")
    with redis_server() as found:
        yield found


@asynccontextmanager
async def counted(url: str = "embedded://") -> AsyncIterator[Rates]:
    """Return what one process counts by."""
    async with asking(url) as (_, guard):
        yield Rates(guard, secret=SECRET)


async def answered(one: Door, times: int, call: Call = READ) -> int:
    """Return how many of so many calls are answered; the others are told when to come again."""
    told = await asyncio.gather(*(ask(one, call) for _ in range(times)), return_exceptions=True)
    for each in told:
        assert isinstance(each, bytes | TooSoon)
        assert isinstance(each, bytes) or (each.retry_at and each.retry_at > START)
    return sum(isinstance(each, bytes) for each in told)


async def test_no_more_is_asked_than_the_rate_and_the_others_are_not_sent() -> None:
    async with counted() as rates, door(always(WELL), rates=rates, rate=SLOW) as (one, server):
        found = await answered(one, 80)

        assert one.health.state is ProviderState.UP
    assert found == len(server.asked) == 50


async def test_without_a_count_nobody_is_held_back() -> None:
    async with door(always(WELL), rate=SLOW) as (one, server):
        found = await answered(one, 80)

    assert found == len(server.asked) == 80


async def test_each_credential_has_a_rate_of_its_own() -> None:
    async with counted() as rates, door(always(WELL), rates=rates, rate=SLOW) as (one, _):
        found = [await answered(one, 60, READ._replace(credential=name)) for name in "ab"]

    assert found == [50, 50]


async def test_two_processes_share_the_rate_and_another_provider_does_not(
    running: RedisServer,
) -> None:
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(counted(running.url)) for _ in range(2)]
        doors = [
            await stack.enter_async_context(door(always(WELL), rates=rates, rate=SLOW, name=name))
            for rates, name in zip([*both, both[0]], ["it", "it", "another"], strict=True)
        ]
        one, other, third = (each for each, _ in doors)
        first = await answered(one, 30)
        second = await answered(other, 60)
        elsewhere = await answered(third, 60)

    # What the first one holds of its last batch for a second is not for the second one.
    assert first == 30
    assert 15 <= second <= 20
    assert elsewhere == 50


async def test_a_provider_is_asked_within_its_rate_though_redis_is_away(
    running: RedisServer,
) -> None:
    async with counted(running.url) as rates:
        running.pause()
        try:
            async with door(always(WELL), rates=rates, rate=SLOW) as (one, server):
                found = await answered(one, 80)
        finally:
            running.go_on()

    assert found == len(server.asked) == 50


async def test_a_long_history_is_read_at_the_rate_whatever_the_timeout_of_a_call() -> None:
    async with (
        counted() as rates,
        door(always(WELL), rates=rates, rate=QUICK, timeout="300ms") as (one, server),
    ):
        time = asyncio.get_running_loop().time
        began = time()
        found = await answered(one, 30)
        seconds = time() - began

    assert found == len(server.asked) == 30
    assert 1.8 < seconds < 20


async def test_who_waits_for_the_rate_holds_no_place_and_others_are_served() -> None:
    async with (
        counted() as rates,
        door(always(WELL), rates=rates, rate="2/second", max_concurrency=1) as (one, _),
    ):
        waiting = [asyncio.create_task(ask(one)) for _ in range(6)]
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        await ask(one, READ._replace(credential="another"))
        seconds = asyncio.get_running_loop().time() - began
        still = sum(not task.done() for task in waiting)
        await asyncio.gather(*waiting)

    assert seconds < 0.3
    assert still >= 3


async def test_those_who_wait_are_sent_in_the_order_they_came() -> None:
    order: list[int] = []
    async with counted() as rates, door(always(WELL), rates=rates, rate=QUICK) as (one, _):

        async def numbered(number: int) -> None:
            await ask(one)
            order.append(number)

        await asyncio.gather(*(numbered(number) for number in range(20)))

    # Those that are sent together may be answered in any order.
    assert order[10:] == sorted(order[10:])


async def test_who_would_wait_too_long_is_told_at_once_when_to_come_again() -> None:
    async with (
        counted() as rates,
        door(always(WELL), rates=rates, rate="1/minute") as (one, server),
    ):
        await ask(one)
        time = asyncio.get_running_loop().time
        began = time()
        with pytest.raises(UpstreamRateLimited) as raised:
            await ask(one)
        seconds = time() - began

    assert raised.value.retry_at is not None
    assert 55 < (raised.value.retry_at - START).total_seconds() <= 60
    assert seconds < 30
    assert len(server.asked) == 1


async def test_a_renewal_waits_no_longer_than_its_turn_lasts() -> None:
    async with (
        counted() as rates,
        door(always(WELL), rates=rates, rate="2/second", timeout="200ms") as (one, _),
    ):
        await answered(one, 2, WRITE)
        found = await answered(one, 1, WRITE)
        patient = await answered(one, 1)

    assert (found, patient) == (0, 1)


async def test_who_goes_away_while_it_waits_leaves_its_turn() -> None:
    async with counted() as rates, door(always(WELL), rates=rates, rate=QUICK) as (one, server):
        await answered(one, 10)
        gone = [asyncio.create_task(ask(one)) for _ in range(50)]
        await asyncio.sleep(0.05)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        found = await answered(one, 10)

    assert found == 10
    assert len(server.asked) <= 21


async def test_each_try_is_counted() -> None:
    async with (
        counted() as rates,
        door(always(Reply(b"", 503)), rates=rates, rate="2/hour") as (one, server),
    ):
        with pytest.raises(UpstreamError, match="503"):
            await ask(one)

    assert len(server.asked) == 2


async def test_a_probe_does_not_wait_for_the_rate_while_others_wait_for_the_probe() -> None:
    clock = Hands()
    async with (
        counted() as rates,
        door(always(Reply(b"", 503)), clock, rates, rate="7/hour") as (one, server),
    ):
        used_up = READ._replace(credential="used-up")
        await asyncio.gather(*(ask(one, used_up) for _ in range(7)), return_exceptions=True)
        assert one.health.state is ProviderState.DOWN
        server.answer = always(WELL)
        clock.advance(timedelta(seconds=2))
        with pytest.raises(TooSoon):
            await ask(one, used_up)

        assert await ask(one) == WELL.body


async def test_a_rate_that_runs_out_is_one_line_in_a_stretch() -> None:
    clock, lines = Hands(), []
    async with (
        counted() as rates,
        door(always(WELL), clock, rates, rate="20/hour", name="hosting") as (one, _),
    ):
        for pause in (0, 0, 4, 4, 6):
            clock.advance(timedelta(minutes=pause))
            with structlog.testing.capture_logs() as logs:
                await answered(one, 20)
            lines.append(logs)

    told = {"provider": "hosting", "limit": "20 in 3600 s", "log_level": "warning"}
    line = {"event": "provider's rate is used up", **told}
    # Nothing while there is enough; and after a while without need, it is said once more.
    assert lines == [[], [line], [], [], [line]]
