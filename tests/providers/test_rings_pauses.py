"""Requests for fewer calls: whom they pause, and for how long."""

from datetime import timedelta

import pytest
import structlog
from adapters import START, Hands, is_the_wait
from test_http_door import READ, WELL, always, door
from upstreams import Asked, Reply

from app.model.errors import UpstreamRateLimited
from app.providers.health import ProviderState
from app.providers.http import Upstream as Door

SLOWER = Reply(b"", 429, {"Retry-After": "7"})
ANNA, BERTA = READ._replace(credential="anna"), READ._replace(credential="berta")


async def is_answered(one: Door, credential: str) -> bool:
    try:
        await one.ask(READ._replace(credential=credential), lambda answer: answer.body)
    except UpstreamRateLimited:
        return False
    return True


@pytest.mark.parametrize("pauses_all", [False, True])
async def test_a_pause_ends_exactly_when_it_was_said_and_is_of_whom_it_was_said(
    *, pauses_all: bool
) -> None:
    clock = Hands()
    async with door(always(SLOWER), clock, pauses_all=pauses_all) as (one, server):
        assert not await is_answered(one, "anna")
        server.answer = always(WELL)
        clock.advance(timedelta(seconds=7) - timedelta(microseconds=1))
        during = [await is_answered(one, "anna"), await is_answered(one, "berta")]
        asked_during = len(server.asked) - 1
        clock.advance(timedelta(microseconds=1))
        after = [await is_answered(one, "anna"), await is_answered(one, "berta")]

    assert during == [False, not pauses_all]
    assert asked_during == (0 if pauses_all else 1)
    assert after == [True, True]


async def test_without_a_time_the_pauses_double_until_it_answers() -> None:
    clock, waits = Hands(), []
    async with door(always(Reply(b"", 429)), clock) as (one, server):
        for _ in range(7):
            with pytest.raises(UpstreamRateLimited) as raised:
                await one.ask(ANNA, lambda answer: answer.body)
            assert raised.value.retry_at is not None
            waits.append((raised.value.retry_at - clock()).total_seconds())
            clock.now = raised.value.retry_at
        server.answer = always(WELL)
        await one.ask(ANNA, lambda answer: answer.body)
        server.answer = always(Reply(b"", 429))
        clock.now = START
        with pytest.raises(UpstreamRateLimited) as raised:
            await one.ask(ANNA, lambda answer: answer.body)

    for wait, usual in zip(waits, [1, 2, 4, 8, 16, 30, 30], strict=True):
        assert usual <= wait <= 1.2 * usual
    assert is_the_wait(raised.value.retry_at, None)


async def test_a_provider_that_asks_to_slow_down_is_degraded_until_then_and_never_down() -> None:
    clock = Hands()
    with structlog.testing.capture_logs() as logs:
        async with door(always(SLOWER), clock) as (one, _):
            for number in range(100):
                await is_answered(one, str(number % 50))
            during = (one.health.state, one.health.since)
            clock.advance(timedelta(seconds=7))
            after = (one.health.state, one.health.since)

    assert during == (ProviderState.DEGRADED, START)
    assert after == (ProviderState.UP, START + timedelta(seconds=7))
    assert [line["event"] for line in logs].count("provider asks for fewer requests") == 1


async def test_the_next_account_is_served_where_one_is_asked_to_slow_down() -> None:
    def answer(asked: Asked) -> Reply:
        return SLOWER if asked.headers["x-api-key"] == "anna" else WELL

    async with door(answer) as (one, server):
        for _ in range(10):
            with pytest.raises(UpstreamRateLimited):
                await one.ask(ANNA._replace(headers={"X-API-Key": "anna"}), lambda a: a.body)
            await one.ask(BERTA._replace(headers={"X-API-Key": "berta"}), lambda a: a.body)

    assert len(server.asked) == 1 + 10
