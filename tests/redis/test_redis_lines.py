"""Commands that are sent as they are get their own answers, whatever becomes of a connection."""

import asyncio
import time

import pytest
from asking import asking, until
from redis_server import RedisServer

from app.redis.connection import SOCKET_SECONDS
from app.redis.guard import Guard, RedisAway

pytest_plugins = ("redis_fixtures",)

COUNT = 300
# More at once than have a place on a busy machine would be refused.
AT_ONCE = 30


async def put(guard: Guard) -> None:
    for n in range(COUNT):
        await guard.command("SET", f"k{n}", f"v{n}", "PX", 60_000)


async def read_all(guard: Guard) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, COUNT, AT_ONCE):
        names = [f"k{n}" for n in range(start, start + AT_ONCE)]
        found += await asyncio.gather(*(guard.command("GET", name) for name in names))
    return found


WHOLE = [f"v{n}".encode() for n in range(COUNT)]


async def test_each_of_many_at_once_gets_its_own_answer(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        await put(guard)
        found = await read_all(guard)
        missing = await guard.command("MGET", "k0", "none", b"k1")

    assert found == WHOLE
    assert missing == [b"v0", None, b"v1"]


async def test_a_connection_that_redis_has_ended_is_made_anew_and_nobody_notices(
    server: RedisServer,
) -> None:
    async with asking(server.url) as (_, guard):
        await put(guard)
        with server.client() as client:
            for _ in range(3):
                before = client.info("stats")["total_connections_received"]
                client.client_kill_filter(_type="normal", skipme=True)
                await asyncio.sleep(0.05)
                assert await guard.command("GET", "k7") == b"v7"
                made = client.info("stats")["total_connections_received"] - before
                # Without this it would not have been ended.
                assert made == 1

        assert not guard.is_away


async def test_what_a_hanging_redis_answers_later_is_nobody_elses_answer(
    server: RedisServer,
) -> None:
    async with asking(server.url) as (_, guard):
        await put(guard)
        await read_all(guard)
        for pause in (0.15, 1.5 * SOCKET_SECONDS):
            server.pause()
            refused = await asyncio.gather(
                *(guard.command("GET", f"k{n}") for n in range(20)), return_exceptions=True
            )
            await asyncio.sleep(pause)
            server.go_on()
            await until(lambda: not guard.is_away)

            assert all(isinstance(each, RedisAway) for each in refused)
            assert await read_all(guard) == WHOLE


async def test_who_goes_away_leaves_its_answer_to_nobody(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        await put(guard)
        for n in range(100):
            gone = asyncio.ensure_future(guard.command("GET", f"k{n}"))
            await asyncio.sleep(n / 100_000)
            gone.cancel()
        found = await read_all(guard)

    assert found == WHOLE


async def test_a_refusal_of_redis_is_told_and_the_connection_stays(server: RedisServer) -> None:
    async with asking(server.url) as (_, guard):
        await guard.command("SET", "k", "v")
        with server.client() as client:
            before = client.info("stats")["total_connections_received"]
            for _ in range(5):
                with pytest.raises(Exception, match="WRONGTYPE"):
                    await guard.command("HGET", "k", "field")
            after = client.info("stats")["total_connections_received"]

        assert await guard.command("GET", "k") == b"v"
        assert before == after
        assert not guard.is_away


async def test_a_command_goes_to_the_database_and_with_the_password_of_the_address(
    server: RedisServer,
) -> None:
    with server.client() as client:
        client.acl_setuser("u", enabled=True, passwords="+p@ss", commands=["+@all"], keys=["*"])
        url = f"redis://u:p%40ss@127.0.0.1:{server.port}"
        async with asking(f"{url}/3") as (_, there), asking(f"{url}/4") as (_, elsewhere):
            await there.command("SET", "k", "v")
            found = await there.command("GET", "k"), await elsewhere.command("GET", "k")
            who = await there.command("ACL", "WHOAMI")

    assert found == (b"v", None)
    assert who == b"u"


@pytest.mark.alone
async def test_a_command_takes_less_than_by_a_client(server: RedisServer) -> None:
    async def cost(asks: object) -> float:
        began = time.process_time()
        for _ in range(400):
            await asks()  # type: ignore[operator]
        return time.process_time() - began

    async with asking(server.url) as (_, guard):
        await guard.command("SET", "k", "v")
        pairs = [
            (
                await cost(lambda: guard.command("GET", "k")),
                await cost(lambda: guard.ask(lambda client: client.get("k"))),
            )
            for _ in range(5)
        ]

    assert min(own for own, _ in pairs) < 0.9 * min(by_client for _, by_client in pairs)
