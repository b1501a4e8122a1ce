"""Operations on a Redis that hangs, dies, comes back, or answers too late."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from statistics import median

import pytest
from asking import asking, timed_refusal, until, until_written, written
from redis.exceptions import ResponseError
from redis_server import RedisServer
from structlog.testing import capture_logs

from app.redis.connection import Client
from app.redis.guard import PATIENCE_SECONDS, RedisAway

pytest_plugins = ("redis_fixtures",)


@pytest.mark.alone
async def test_a_redis_that_hangs_is_waited_for_once_and_found_again(server: RedisServer) -> None:
    firsts, others, healthy = [], [], []
    async with asking(server.url) as (_, guard):
        for _ in range(3):
            began = time.perf_counter()
            assert await written(guard, "k", "v")
            healthy.append(time.perf_counter() - began)
            server.pause()
            try:
                firsts.append(await timed_refusal(guard))
                others += [await timed_refusal(guard) for _ in range(20)]
                assert guard.is_away
            finally:
                server.go_on()
            assert await until(lambda: not guard.is_away) < 30
            assert await written(guard, "k", "w")

    assert PATIENCE_SECONDS <= min(firsts) <= 0.15
    assert median(others) <= 0.005
    assert min(healthy) < PATIENCE_SECONDS


@pytest.mark.alone
@pytest.mark.parametrize("url", ["embedded://", "redis"])
async def test_many_callers_at_once_are_no_reason_to_go_away(url: str, server: RedisServer) -> None:
    async with asking(server.url if url == "redis" else url) as (_, guard):
        answers = await asyncio.gather(*(written(guard, f"k{n}", "v") for n in range(500)))

        # A full house may refuse some, but nothing is late in this process.
        assert sum(answers) >= (500 if url == "embedded://" else 50)
        assert not guard.is_away


@pytest.mark.alone
async def test_many_callers_of_a_redis_that_hangs_wait_no_longer_than_one(
    server: RedisServer,
) -> None:
    async with asking(server.url) as (_, guard):
        assert await written(guard, "k", "v")
        server.pause()
        try:
            waits = await asyncio.gather(*(timed_refusal(guard) for _ in range(300)))
        finally:
            server.go_on()
        assert median(waits) < 3 * PATIENCE_SECONDS
        await until(lambda: not guard.is_away)

        assert await written(guard, "k", "v")


async def test_its_going_and_its_return_are_logged_once(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        assert await written(guard, "k", "v")
        with capture_logs() as logs:
            server.pause()
            try:
                for _ in range(5):
                    await timed_refusal(guard)
                await asyncio.sleep(0.7)
            finally:
                server.go_on()
            await until(lambda: not guard.is_away)

    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("warning", "redis is away"),
        ("info", "redis is back"),
    ]


async def test_a_redis_that_is_killed_is_used_again_after_its_restart() -> None:
    server = RedisServer()
    async with asking(server.url, cold=True) as (_, guard):
        assert not await written(guard, "k", "v")  # it was never there
        assert guard.is_away
        server.start()
        try:
            await until(lambda: not guard.is_away)
            assert await written(guard, "k", "v")
            server.kill()
            assert await timed_refusal(guard) < 5 * PATIENCE_SECONDS
            assert guard.is_away
            server.start()
            await until(lambda: not guard.is_away)

            assert await written(guard, "k", "w")
        finally:
            server.kill()


async def test_a_redis_that_pauses_its_clients_is_away_until_it_goes_on(
    server: RedisServer,
) -> None:
    async with asking(server.url) as (_, guard):
        assert await written(guard, "k", "v")
        with server.client() as client:
            client.client_pause(1000)

        assert await timed_refusal(guard) < 5 * PATIENCE_SECONDS
        assert guard.is_away
        assert await until_written(guard, "k", "w") < 30


async def write_and_read(client: Client) -> object:
    """Take two steps, so that one is still to be done when a stall is over."""
    await client.set("k", "v")
    return await client.get("k")


@pytest.mark.alone
async def test_a_stall_of_this_process_is_not_taken_for_a_dead_redis(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        assert await written(guard, "k", "v")
        answered = []
        for _ in range(4):
            server.pause()
            asked = asyncio.ensure_future(guard.ask(write_and_read))
            await asyncio.sleep(0.01)
            server.go_on()
            time.sleep(4 * PATIENCE_SECONDS)  # noqa: ASYNC251 (that is what is tested)
            with suppress(RedisAway):
                answered.append(await asked)

            assert not guard.is_away

    assert answered  # what came meanwhile is read


async def test_three_stalls_without_an_answer_are_a_dead_redis(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        assert await written(guard, "k", "v")
        server.pause()
        away = []
        try:
            for _ in range(3):
                several = [asyncio.ensure_future(written(guard, "k", "v")) for _ in range(5)]
                await asyncio.sleep(0.01)
                time.sleep(4 * PATIENCE_SECONDS)  # noqa: ASYNC251 (as above)
                assert not any(await asyncio.gather(*several))
                away.append(guard.is_away)
        finally:
            server.go_on()

    assert away == [False, False, True]


async def test_our_own_mistakes_are_told_and_do_not_send_redis_away(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        await guard.ask(lambda client: client.set("k", "v"))
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await guard.ask(lambda client: client.execute_command("LPUSH", "k", "v"))

        assert not guard.is_away


async def write_alone(client: Client) -> None:
    await client.set("k", "w")


async def write_in_a_transaction(client: Client) -> None:
    async with client.pipeline(transaction=True) as pipe:
        pipe.set("k", "w")
        await pipe.execute()


@pytest.mark.parametrize("write", [write_alone, write_in_a_transaction])
async def test_a_full_redis_refuses_writes_and_still_serves_reads(
    write: Callable[[Client], Awaitable[None]], server: RedisServer
) -> None:
    async with asking(server.url) as (_, guard):
        await guard.ask(write)
        with server.client() as other:
            other.config_set("maxmemory", "1")
        try:
            with pytest.raises(RedisAway):
                await guard.ask(write)

            assert await guard.ask(lambda client: client.get("k")) == b"w"
            assert not guard.is_away
        finally:
            with server.client() as other:
                other.config_set("maxmemory", "0")
