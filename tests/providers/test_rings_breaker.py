"""The circuit: what opens it, who probes, and what an operator is told meanwhile."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
import structlog
from adapters import START, Hands
from asking import until
from test_http_door import READ, WELL, WRITE, always, ask, door
from upstreams import Asked, Reply, Upstream

from app.model.errors import (
    GatewayError,
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.providers.call import Answer, CircuitOpen, Unreadable
from app.providers.health import ProviderState
from app.providers.http import Upstream as Door
from app.providers.payload import decoded

DEAD = Reply(b"", 503)
# Longer than the first pause may be by chance, and the longest.
A_PAUSE, THE_LONGEST = timedelta(seconds=1.3), timedelta(seconds=37)


async def failures(one: Door, times: int, *, at_once: int = 1) -> list[BaseException]:
    """Return how so many reads failed."""
    found: list[BaseException] = []
    for _ in range(0, times, at_once):
        told = await asyncio.gather(*(ask(one) for _ in range(at_once)), return_exceptions=True)
        found += [each for each in told if isinstance(each, BaseException)]
    return found


async def opened(one: Door, server: Upstream) -> int:
    """Open the circuit, and return how often the provider was asked for that."""
    await failures(one, 5)
    assert one.health.state is ProviderState.DOWN
    return len(server.asked)


@pytest.mark.parametrize("at_once", [1, 50])
async def test_a_dead_provider_is_asked_a_little_and_then_left_alone(at_once: int) -> None:
    async with door(always(DEAD)) as (one, server):
        await failures(one, 200, at_once=at_once)

    # Five calls and the tries that any call may have; 16 are under way when it turns out.
    assert len(server.asked) <= 1.2 * (5 if at_once == 1 else 16) + 2


async def test_nothing_is_left_alone_that_answers_mostly() -> None:
    turns = iter(range(10_000))

    def answer(_asked: Asked) -> Reply:
        return DEAD if next(turns) % 3 == 0 else WELL

    async with door(answer) as (one, _):
        for _ in range(100):
            await asyncio.gather(one.ask(WRITE, lambda answer: answer.body), return_exceptions=True)
            assert one.health.state is not ProviderState.DOWN


async def test_while_it_is_open_nobody_waits_and_each_is_told_until_when() -> None:
    async with door(always(DEAD)) as (one, server):
        before = await opened(one, server)
        loop = asyncio.get_running_loop()
        began = loop.time()
        found = await failures(one, 100)
        seconds = loop.time() - began

    assert {type(each) for each in found} == {CircuitOpen}
    for each in found:
        assert isinstance(each, UpstreamUnavailable)
        assert each.retry_at is not None
        assert 0.8 <= (each.retry_at - START).total_seconds() <= 1.2
    assert len(server.asked) == before
    # A pause before each of them would take five times as long.
    assert seconds < 5


async def test_exactly_one_of_fifty_callers_probes_and_the_others_are_not_kept_waiting() -> None:
    clock = Hands()
    async with door(always(DEAD), clock, timeout="60s") as (one, server):
        before = await opened(one, server)
        server.answer = _answering_when(release := asyncio.Event())
        clock.advance(A_PAUSE)
        tasks = [asyncio.create_task(ask(one)) for _ in range(50)]
        await until(lambda: sum(task.done() for task in tasks) == 49)
        done, waiting = await asyncio.wait(tasks, timeout=0)
        release.set()
        answered = await asyncio.gather(*waiting)
        after = await asyncio.gather(*(ask(one) for _ in range(50)))

    assert {type(task.exception()) for task in done} == {CircuitOpen}
    assert (len(done), answered) == (49, [WELL.body])
    # The control: once it is closed, all of them are sent.
    assert len(server.asked) == before + 1 + 50
    assert after == [WELL.body] * 50


def _answering_when(release: asyncio.Event) -> Callable[[Asked], asyncio.Future[Reply]]:
    async def answer() -> Reply:
        await release.wait()
        return WELL

    return lambda _asked: asyncio.ensure_future(answer())


async def test_a_probe_is_one_call_and_each_that_fails_doubles_the_pause() -> None:
    clock, pauses, calls = Hands(), [], []
    async with door(always(DEAD), clock) as (one, server):
        before = await opened(one, server)
        for _ in range(8):
            (told,) = await failures(one, 1)
            assert isinstance(told, UpstreamError)
            assert told.retry_at is not None
            pauses.append((told.retry_at - clock()).total_seconds())
            clock.now = told.retry_at
            await failures(one, 1)
            calls.append(len(server.asked) - before)

    assert calls == list(range(1, 9))
    for pause, usual in zip(pauses, [1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert 0.8 * usual <= pause <= 1.2 * usual


async def test_dead_for_ten_minutes_it_is_asked_by_probes_alone() -> None:
    clock = Hands()
    async with door(always(DEAD), clock) as (one, server):
        before = await opened(one, server)
        for _ in range(600):
            clock.advance(timedelta(seconds=1))
            await failures(one, 5, at_once=5)

    # 1 + 2 + 4 + 8 + 16 s, and then every 24 s at the most often.
    assert len(server.asked) - before <= 5 + 600 / 24
    assert len(server.asked) - before >= 600 / 38


async def test_an_answer_to_the_probe_closes_it_even_a_refusal_of_credentials() -> None:
    def refuse(_answer: Answer) -> bytes:
        raise UpstreamUnauthorized("no")

    clock = Hands()
    async with door(always(DEAD), clock) as (one, server):
        await opened(one, server)
        server.answer = always(WELL)
        clock.advance(A_PAUSE)
        with pytest.raises(UpstreamUnauthorized):
            await one.ask(READ, refuse)

        assert one.health.state is ProviderState.UP
        assert await ask(one) == WELL.body


async def test_a_probe_whose_caller_goes_away_leaves_its_turn_to_the_next() -> None:
    clock = Hands()
    async with door(always(DEAD), clock) as (one, server):
        await opened(one, server)
        server.answer = _answering_when(asyncio.Event())
        clock.advance(A_PAUSE)
        gone = asyncio.create_task(ask(one))
        await until(lambda: server.at_once == 1)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        server.answer = always(WELL)

        assert await ask(one) == WELL.body


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_what_one_account_is_refused_for_never_opens_it(status: int) -> None:
    def read(answer: Answer) -> bytes:
        raise (UpstreamUnauthorized if answer.status < 404 else UpstreamInvalidResponse)("no")

    async with door(always(Reply(b"{}", status))) as (one, server):
        for _ in range(100):
            with pytest.raises(GatewayError):
                await one.ask(READ, read)

        assert one.health.state is ProviderState.UP
    assert len(server.asked) == 100


@pytest.mark.parametrize(
    "broken",
    [
        Reply(b"<html>", content_type="text/html"),
        Reply(b"garbage"),
        Reply(b"", 302, {"Location": "/"}),
        Reply(b"no", headers={"Content-Encoding": "gzip"}),
        Reply(b'{"a":' * 100_000),
    ],
    ids=["html", "garbage", "redirect", "broken gzip", "nested"],
)
async def test_answers_that_nobody_could_read_open_it(broken: Reply) -> None:
    async with door(always(broken)) as (one, server):
        for _ in range(100):
            with pytest.raises((Unreadable, CircuitOpen)):
                await one.ask(READ, lambda answer: decoded(answer.body, dict, "it"))

    assert len(server.asked) == 5


async def test_timeouts_open_it() -> None:
    async with door(_answering_when(asyncio.Event()), timeout="50ms") as (one, server):
        found = await failures(one, 10)

    assert [type(each) for each in found] == [UpstreamTimeout] * 5 + [CircuitOpen] * 5
    assert len(server.asked) == 5


async def test_calls_that_found_no_place_say_nothing_of_the_provider() -> None:
    async def late(_asked: Asked) -> Reply:
        await asyncio.sleep(0.7)
        return WELL

    async with door(late, timeout="1s", max_concurrency=1) as (one, _):
        found = await failures(one, 40, at_once=40)

        assert one.health.state is ProviderState.UP
    assert len(found) == 39


async def test_what_was_sent_before_it_opened_does_not_open_it_again() -> None:
    clock = Hands()
    async with door(_answering_when(asyncio.Event()), clock, timeout="400ms") as (one, server):
        hung = [asyncio.create_task(ask(one)) for _ in range(8)]
        await until(lambda: server.at_once == 8)
        server.answer = always(DEAD)
        await opened(one, server)
        clock.advance(A_PAUSE)
        server.answer = always(WELL)
        await ask(one)
        found = await asyncio.gather(*hung, return_exceptions=True)

        assert one.health.state is ProviderState.UP
    assert {type(each) for each in found} == {UpstreamTimeout}


async def test_who_says_for_how_long_it_is_away_is_not_probed_before() -> None:
    clock = Hands()
    away = Reply(b"", 503, {"Retry-After": "120"})
    async with door(always(away), clock) as (one, server):
        before = await opened(one, server)
        clock.advance(timedelta(seconds=119))
        await failures(one, 5)
        assert len(server.asked) == before
        clock.advance(timedelta(seconds=1))
        await failures(one, 1)

    assert len(server.asked) == before + 1


async def test_a_clock_that_is_put_back_keeps_nobody_away_for_long() -> None:
    clock = Hands()
    async with door(always(DEAD), clock) as (one, server):
        await opened(one, server)
        clock.advance(-timedelta(days=1))
        server.answer = always(WELL)

        assert await ask(one) == WELL.body


async def test_each_change_of_state_is_one_line_and_a_refused_call_is_none() -> None:
    clock = Hands()
    with structlog.testing.capture_logs() as logs:
        async with door(always(DEAD), clock) as (one, server):
            await failures(one, 100)
            states = [(one.health.state, one.health.since)]
            clock.advance(A_PAUSE)
            server.answer = always(WELL)
            for _ in range(10):
                await ask(one)
            states.append((one.health.state, one.health.since))

    changes = [line["state"] for line in logs if line["event"] == "provider changed its state"]
    assert changes == ["DEGRADED", "DOWN", "UP"]
    assert len(logs) == len(changes) + 5
    assert states == [(ProviderState.DOWN, START), (ProviderState.UP, START + A_PAUSE)]
