"""The one door to upstreams: its deadline, its tries, its waits and what never passes it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from adapters import START, Hands, is_the_wait, settings_of
from asking import until
from upstreams import Answer, Asked, Reply, Upstream, in_turn, upstream

from app.model.errors import (
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from app.providers.call import Call, Crowded
from app.providers.health import ProviderState
from app.providers.http import Upstream as Door
from app.redis.rates import Rates

WELL = Reply(b'{"well": true}')
READ = Call("GET", "/it", {"X-API-Key": "key-of-anna"}, {"page": 0})
WRITE = Call("POST", "/login", json={"password": "p"}, is_read=False)


@asynccontextmanager
async def door(
    answer: Answer,
    clock: Hands | None = None,
    rates: Rates | None = None,
    *,
    pauses_all: bool = False,
    **changed: Any,  # noqa: ANN401 - any setting
) -> AsyncIterator[tuple[Door, Upstream]]:
    async with upstream(answer) as server:
        configured = settings_of("hostup", server.url, **changed)
        one = Door(configured, clock or Hands(), rates, pauses_all=pauses_all)
        try:
            yield one, server
        finally:
            await one.aclose()


async def ask(one: Door, call: Call = READ) -> bytes:
    return await one.ask(call, lambda answer: answer.body)


def always(reply: Reply) -> Answer:
    return lambda _asked: reply


def slowly(text: bytes, pause: float) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def send(writer: asyncio.StreamWriter) -> None:
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause)

    return send


async def hang(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def cut(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"{")
    await writer.drain()


async def cut_at_once(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


HEAD = b"HTTP/1.1 200 Said\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"
FAULTS = [Reply(b"", 503), Reply(b"", 500), Reply(send=cut), Reply(send=cut_at_once)]


@pytest.mark.parametrize(
    "send", [hang, slowly(HEAD, 0.2), slowly(HEAD + b"{}", 0.2)], ids=["hang", "head", "whole"]
)
async def test_one_deadline_covers_everything(
    send: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> None:
    began = time.perf_counter()
    async with door(always(Reply(send=send)), timeout="300ms") as (one, _):
        with pytest.raises(UpstreamTimeout):
            await ask(one)

    # The whole of it would come after 14 seconds.
    assert 0.25 < time.perf_counter() - began < 10


async def test_a_body_that_drips_in_time_is_read() -> None:
    async with door(always(Reply(send=slowly(HEAD + b"{}", 0)))) as (one, _):
        body = await ask(one)

    assert body == b"{}"


async def test_a_body_that_drips_too_long_is_a_timeout() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD.replace(b"2\r\n\r\n", b"999\r\n\r\n"))
        await slowly(b" " * 999, 0.02)(writer)

    async with door(always(Reply(send=drip)), timeout="300ms") as (one, _):
        with pytest.raises(UpstreamTimeout):
            await ask(one)


async def test_the_deadline_covers_all_tries() -> None:
    async def late(_asked: Asked) -> Reply:
        await asyncio.sleep(0.2)
        return Reply(b"", 503)

    async with door(late, timeout="300ms") as (one, server):
        with pytest.raises(UpstreamError):
            await ask(one)
    async with door(late) as (patient, asked_patiently):
        with pytest.raises(UpstreamError):
            await ask(patient)

    assert len(server.asked) < 3
    # The control: it is not for another reason that it is not tried more often.
    assert len(asked_patiently.asked) == 3


async def test_a_provider_that_answered_did_not_time_out_though_trying_again_takes_too_long() -> (
    None
):
    async def away_and_then_silent(_asked: Asked) -> Reply:
        if len(server.asked) > 1:
            await asyncio.sleep(60)
        return Reply(b"", 503)

    async with door(away_and_then_silent, timeout="600ms") as (one, server):
        with pytest.raises(UpstreamUnavailable, match="503"):
            await ask(one)

    assert len(server.asked) > 1


async def test_waiting_for_a_place_counts_into_the_deadline() -> None:
    async def late(_asked: Asked) -> Reply:
        await asyncio.sleep(0.25)
        return WELL

    async with door(late, timeout="400ms", max_concurrency=1) as (one, _):
        found = await asyncio.gather(ask(one), ask(one), return_exceptions=True)

    assert [type(each) for each in found] == [bytes, Crowded]
    assert isinstance(found[1], UpstreamTimeout)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_read_is_tried_at_most_three_times(fault: Reply) -> None:
    async with door(always(fault)) as (one, server):
        with pytest.raises(UpstreamUnavailable):
            await ask(one)

    assert len(server.asked) == 3


async def test_a_read_is_answered_by_its_third_try() -> None:
    async with door(in_turn(Reply(b"", 503), Reply(send=cut), WELL)) as (one, server):
        body = await ask(one)

        assert one.health.state is ProviderState.UP
    assert body == WELL.body
    assert len(server.asked) == 3


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_login_is_tried_once(fault: Reply) -> None:
    async with door(in_turn(fault, WELL)) as (one, server):
        with pytest.raises(UpstreamUnavailable):
            await ask(one, WRITE)

        assert one.health.state is ProviderState.DEGRADED
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [200, 429])
async def test_what_trying_again_cannot_mend_is_not_tried_again(status: int) -> None:
    async with door(always(Reply(b"no", status, content_type="text/html"))) as (one, server):
        with pytest.raises((UpstreamInvalidResponse, UpstreamRateLimited)):
            await ask(one)

    assert len(server.asked) == 1


async def test_a_provider_that_says_how_long_it_is_away_is_not_tried_meanwhile() -> None:
    async with door(always(Reply(b"", 503, {"Retry-After": "120"}))) as (one, server):
        with pytest.raises(UpstreamUnavailable) as raised:
            await ask(one)

    assert raised.value.retry_at == START + timedelta(seconds=120)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("hint", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("99999", 3600),
        ("9" * 400, 3600),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30),
        ("Fri, 20 Nov 2026 13:00:30 +0100", 30),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 20 Nov 2099 11:00:00 GMT", 3600),
        ("Mon, 01 Jan 0001 00:00:00 +2300", 0),
        ("Fri, 31 Dec 9999 23:59:59 -2300", 3600),
        ("Fri, 20 Nov 99999999999999999999 11:00:00 GMT", None),
        ("Fri, 99 Nov 2026 11:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
    ],
)
async def test_the_wait_is_read_and_bounded(hint: str, seconds: int | None) -> None:
    async with door(always(Reply(b"", 429, {"Retry-After": hint}))) as (one, _):
        with pytest.raises(UpstreamRateLimited) as raised:
            await ask(one)

    assert is_the_wait(raised.value.retry_at, seconds)


@pytest.mark.parametrize("most", [1, 4])
async def test_no_more_calls_are_under_way_than_configured(most: int) -> None:
    async def pause(_asked: Asked) -> Reply:
        await asyncio.sleep(0.02)
        return WELL

    async with door(pause, max_concurrency=most) as (one, server):
        await asyncio.gather(*(ask(one) for _ in range(12)))

    assert (server.most_at_once, len(server.asked)) == (most, 12)


async def test_calls_that_were_cancelled_leave_their_places_to_the_next() -> None:
    async def wait(_asked: Asked) -> Reply:
        await asyncio.sleep(60)
        return WELL

    async with door(wait, max_concurrency=4) as (one, server):
        tasks = [asyncio.create_task(ask(one)) for _ in range(10)]
        await until(lambda: server.at_once == 4)
        for task in tasks:
            task.cancel()
        cancelled = await asyncio.gather(*tasks, return_exceptions=True)
        server.answer = always(WELL)
        answered = await asyncio.wait_for(asyncio.gather(*(ask(one) for _ in range(10))), 30)

    assert {type(each) for each in cancelled} == {asyncio.CancelledError}
    assert answered == [WELL.body] * 10


async def test_a_place_is_free_after_any_failure() -> None:
    faults = [Reply(b"", 503, {"Retry-After": "1"}), Reply(b"no"), Reply(b"", 302)]
    faults.append(Reply(b"", 429, {"Retry-After": "0"}))
    async with door(in_turn(*faults, WELL), max_concurrency=1) as (one, _):
        for _ in faults:
            try:
                await one.ask(READ, lambda answer: answer.body.decode().index("{"))
            except (UpstreamError, ValueError):
                continue
        body = await ask(one)

    assert body == WELL.body
