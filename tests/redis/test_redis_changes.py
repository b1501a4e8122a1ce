"""What processes tell each other of changes, and how they know that they hear it."""

import asyncio

from asking import CHANNEL, asking, hearing, until, until_published
from redis_server import RedisServer

from app.redis.changes import Changes
from app.redis.connection import Client

pytest_plugins = ("redis_fixtures",)


async def test_each_process_hears_what_another_tells(server: RedisServer) -> None:
    async with (
        hearing(server.url) as (one, one_guard, by_one),
        hearing(server.url) as (other, _, by_other),
    ):
        for n in range(100):
            await one.publish(one_guard, f"n{n}")
        await until(lambda: len(by_one) == len(by_other) == 100)

        assert by_one == by_other == [f"n{n}" for n in range(100)]
        assert one.epoch == other.epoch == 1


async def test_what_is_told_in_the_process_is_heard_there() -> None:
    async with hearing("embedded://") as (changes, guard, heard):
        await changes.publish(guard, "a")
        await until(lambda: heard == ["a"])

        assert changes.is_live


async def test_a_killed_redis_is_a_loss_and_its_restart_a_new_subscription() -> None:
    server = RedisServer()
    server.start()
    async with hearing(server.url) as (changes, guard, heard):
        server.kill()
        await until(lambda: not changes.is_live)
        assert heard == ["(lost)"]
        await asyncio.sleep(0.3)
        assert not changes.is_live
        server.start()
        try:
            await until(lambda: changes.is_live)
            await until_published(changes, guard, "again")
            await until(lambda: "again" in heard)
        finally:
            server.kill()

        assert heard == ["(lost)", "again"]
        assert changes.epoch == 2


async def test_a_redis_that_hangs_is_not_live_within_the_time_of_a_ping(
    server: RedisServer,
) -> None:
    async with hearing(server.url) as (changes, guard, heard):
        await asyncio.sleep(1.2)
        assert changes.is_live  # it has answered pings, and would not be otherwise
        server.pause()
        try:
            waited = await until(lambda: not changes.is_live)
            await until(lambda: "(lost)" in heard)
        finally:
            server.go_on()
        await until(lambda: changes.is_live)
        await until_published(changes, guard, "after")
        await until(lambda: "after" in heard)

    assert waited < 1
    assert heard.count("(lost)") == 2  # the hang, and the end
    assert changes.epoch == 2


async def test_a_subscription_that_only_its_redis_ends_is_a_loss(server: RedisServer) -> None:
    async with hearing(server.url) as (changes, _, heard):
        with server.client() as client:
            client.client_kill_filter(_type="pubsub")
        await until(lambda: "(lost)" in heard)
        await until(lambda: changes.is_live)

        assert changes.epoch == 2


async def test_a_listener_that_fails_silences_no_other(server: RedisServer) -> None:
    heard: list[str] = []
    async with asking(server.url) as (client, guard):
        changes = Changes(client, "c")
        changes.listen(lambda _: 1 / 0, lambda: None)  # type: ignore[arg-type]
        changes.listen(heard.append, lambda: None)
        assert not changes.is_live
        changes.start()
        await until(lambda: changes.is_live)
        await changes.publish(guard, "a")
        await until(lambda: heard == ["a"])
        await changes.aclose()

        assert not changes.is_live


async def test_bytes_that_are_no_text_end_no_subscription(server: RedisServer) -> None:
    async with hearing(server.url) as (changes, _, heard):
        with server.client() as client:
            client.publish("changes", b"\xff")
            client.publish("changes", "ä")
        await until(lambda: len(heard) == 2)

        assert changes.epoch == 1
        assert heard[1] == "ä"


async def test_the_end_is_heard_while_a_ping_is_being_sent(server: RedisServer) -> None:
    # A third of those that ended while they sent went on for ever.
    async with asking(server.url) as (client, _):
        async with asyncio.timeout(60):
            await asyncio.gather(*(_ended_about_a_ping(client, n / 25_000) for n in range(90)))


async def _ended_about_a_ping(client: Client, after_seconds: float) -> None:
    """End a subscription as long after its first ping is sent, 0.4 s after it began."""
    changes = Changes(client, CHANNEL)
    changes.start()
    await until(lambda: changes.is_live)
    await asyncio.sleep(0.3985 + after_seconds)
    await changes.aclose()
