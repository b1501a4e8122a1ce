"""The circuit and accounts: what a provider fails at for one of them costs no other."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog
from adapters import Hands
from test_http_door import READ, WELL, always, ask, door
from test_rings_breaker import A_PAUSE, DEAD
from upstreams import Asked, Reply

from app.model.errors import UpstreamUnavailable
from app.providers.call import Call, CircuitOpen
from app.providers.health import ProviderState
from app.providers.http import Upstream as Door

ANNA, BORIS, CYRIL = (READ._replace(credential=name) for name in ("anna", "boris", "cyril"))


def of(call: Call) -> Call:
    """Return the call with a header that tells the upstream whose it is."""
    return call._replace(headers={"X-API-Key": call.credential})


def crashed_by(*names: str) -> Callable[[Asked], Reply]:
    return lambda asked: DEAD if asked.headers["x-api-key"] in names else WELL


async def told(one: Door, call: Call) -> object:
    """Return the answer or the error."""
    return (await asyncio.gather(ask(one, of(call)), return_exceptions=True))[0]


async def test_an_account_that_a_provider_fails_at_is_left_alone_and_others_are_served() -> None:
    clock = Hands()
    async with door(crashed_by("anna"), clock) as (one, server):
        served, refused = [], 0
        for _ in range(200):
            clock.advance(timedelta(milliseconds=50))
            served += [await told(one, BORIS)]
            refused += isinstance(await told(one, ANNA), CircuitOpen)
            refused += isinstance(await told(one, ANNA), CircuitOpen)

            assert one.health.state is not ProviderState.DOWN
        asked = sum(each.headers["x-api-key"] == "anna" for each in server.asked)

    assert set(served) == {WELL.body}
    # Five calls with their tries, and probes after 1, 2 and 4 s of the ten.
    assert asked <= 20
    assert refused > 350


async def test_after_one_account_has_failed_alone_another_is_asked_at_once() -> None:
    async with door(crashed_by("anna")) as (one, _):
        alone = [await told(one, ANNA) for _ in range(6)]
        down = one.health.state
        others = [await told(one, call) for call in (BORIS, CYRIL)]

        assert one.health.state is ProviderState.UP
        assert isinstance(await told(one, ANNA), CircuitOpen)
    assert isinstance(alone[-1], CircuitOpen)
    assert down is ProviderState.DOWN
    assert others == [WELL.body] * 2


async def test_a_dead_provider_is_left_alone_by_all_once_two_accounts_have_failed() -> None:
    async with door(always(DEAD)) as (one, server):
        for _ in range(6):
            await told(one, ANNA)
        before = len(server.asked)
        found = [await told(one, call) for call in (BORIS, BORIS, CYRIL, ANNA)]

    assert type(found[0]) is UpstreamUnavailable
    assert {type(each) for each in found[1:]} == {CircuitOpen}
    assert len(server.asked) - before <= 2


@pytest.mark.parametrize("at_once", [1, 50])
async def test_a_dead_provider_of_many_accounts_is_asked_as_little(at_once: int) -> None:
    async with door(always(DEAD)) as (one, server):
        calls = [READ._replace(credential=str(number)) for number in range(200)]
        for start in range(0, 200, at_once):
            await asyncio.gather(*(told(one, each) for each in calls[start : start + at_once]))

    assert len(server.asked) <= 1.2 * (5 if at_once == 1 else 16) + 2


async def test_the_account_is_asked_again_by_probes_alone_until_one_is_answered() -> None:
    clock = Hands()
    async with door(crashed_by("anna"), clock) as (one, server):
        for _ in range(5):
            await told(one, ANNA)
        await told(one, BORIS)
        before = len(server.asked)
        clock.advance(A_PAUSE)
        first = [await told(one, ANNA) for _ in range(3)]
        probes = len(server.asked) - before
        server.answer = always(WELL)
        clock.advance(2 * A_PAUSE)
        then = [await told(one, ANNA) for _ in range(3)]

    assert ([type(each) for each in first], probes) == (
        [UpstreamUnavailable, CircuitOpen, CircuitOpen],
        1,
    )
    assert then == [WELL.body] * 3


async def test_leaving_an_account_alone_is_one_line_and_asking_it_again_another() -> None:
    clock = Hands()
    with structlog.testing.capture_logs() as logs:
        async with door(crashed_by("anna"), clock) as (one, server):
            for _ in range(50):
                await told(one, BORIS)
                await told(one, ANNA)
            server.answer = always(WELL)
            clock.advance(A_PAUSE)
            await told(one, ANNA)

    lines = [line for line in logs if str(line["event"]).startswith("account")]
    assert [(line["event"], line["account"]) for line in lines] == [
        ("account left alone", "anna"),
        ("account asked again", "anna"),
    ]
    assert "DOWN" not in {line.get("state") for line in logs}


async def test_what_an_account_has_is_told_apart_where_all_are_asked_by_one_login() -> None:
    theirs = [READ._replace(of=name) for name in ("anna", "boris")]
    calls = [call._replace(headers={"X-API-Key": call.of}) for call in theirs]
    async with door(crashed_by("anna")) as (one, _):
        for _ in range(5):
            await asyncio.gather(ask(one, calls[0]), return_exceptions=True)

        assert await ask(one, calls[1]) == WELL.body
