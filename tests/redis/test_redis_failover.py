"""A Cluster and Sentinels whose primary dies, under a process that goes on."""

import asyncio
from time import perf_counter

import pytest
from asking import asking, hearing, timed_refusal, until, until_published, until_written, written
from redis_cluster import RedisCluster
from redis_sentinel import Sentinels

from app.redis.guard import PATIENCE_SECONDS, Guard

pytest_plugins = ("redis_fixtures",)


async def longest_wait(guard: Guard, key: str, seconds: float) -> float:
    """Return how long the slowest caller waited while one asked after the other."""
    waits = []
    end = perf_counter() + seconds
    while perf_counter() < end:
        began = perf_counter()
        await written(guard, key, "v")
        waits.append(perf_counter() - began)
        await asyncio.sleep(0.01)
    return max(waits)


async def test_a_cluster_is_used_again_when_a_replica_has_taken_over(
    cluster: RedisCluster,
) -> None:
    owner = cluster.primary_of("k")
    other = cluster.keys_elsewhere("k")
    async with asking(cluster.url) as (_, guard):
        assert await written(guard, "k", "v")
        assert await written(guard, other, "v")
        owner.kill()
        try:
            assert not await written(guard, "k", "w")
            assert guard.is_away
            # The rest of the Cluster is found again long before the replica has taken over.
            assert await until_written(guard, other, "w") < 30
            assert await until_written(guard, "k", "w") < 45
            assert await until_written(guard, other, "x") < 30
        finally:
            owner.start()
            cluster.wait_until_whole()
    assert cluster.primary_of("k") is not owner


@pytest.mark.alone
async def test_a_hanging_primary_of_a_cluster_delays_nobody_for_long(
    cluster: RedisCluster,
) -> None:
    owner = cluster.primary_of("k")
    async with asking(cluster.url) as (_, guard):
        assert await written(guard, "k", "v")
        owner.pause()
        try:
            first = await timed_refusal(guard)
            slowest = await longest_wait(guard, "k", 1.5)
            assert await until_written(guard, "k", "w") < 45
        finally:
            owner.go_on()
            cluster.wait_until_whole()
    assert PATIENCE_SECONDS <= first < 3 * PATIENCE_SECONDS
    # Two operations, each of which may wait once.
    assert slowest < 6 * PATIENCE_SECONDS


async def test_what_changed_is_heard_from_another_node_when_one_dies(
    cluster: RedisCluster,
) -> None:
    async with hearing(cluster.url) as (changes, guard, heard):
        await changes.publish(guard, "one")
        await until(lambda: "one" in heard)
        dead = next(node for node in cluster.nodes if node.subscribers("changes"))
        dead.kill()
        try:
            await until(lambda: "(lost)" in heard)
            await until(lambda: changes.is_live)
            assert changes.epoch == 2
            # Where the dead node owned the channel's slot, somebody has to take it over first.
            await until_published(changes, guard, "two")
            await until(lambda: "two" in heard)
        finally:
            dead.start()
            cluster.wait_until_whole()


async def test_sentinels_lead_to_the_new_primary(sentinels: Sentinels) -> None:
    old = sentinels.primary()
    async with hearing(sentinels.url) as (changes, guard, heard):
        assert await written(guard, "k", "v")
        epoch = changes.epoch
        old.kill()
        try:
            assert not await written(guard, "k", "w")
            await until(lambda: "(lost)" in heard)
            assert await until_written(guard, "k", "w") < 45
            await until(lambda: changes.is_live)
            await until_published(changes, guard, "told")
            await until(lambda: "told" in heard)

            assert changes.epoch > epoch
            assert sentinels.primary() is not old
            # What was the primary comes back as a replica, and nobody asks it.
            old.start()
            assert await until_written(guard, "k", "x") < 45
        finally:
            old.kill()


async def test_sentinels_lead_away_from_a_primary_that_hangs(sentinels: Sentinels) -> None:
    old = sentinels.primary()
    async with asking(sentinels.url) as (_, guard):
        assert await written(guard, "k", "v")
        old.pause()
        try:
            first = await timed_refusal(guard)
            assert await until_written(guard, "k", "w") < 45
        finally:
            old.go_on()
        assert await until_written(guard, "k", "x") < 45
    assert PATIENCE_SECONDS <= first < 3 * PATIENCE_SECONDS
