"""A history read from a Redis Cluster whose primary dies on the way."""

from collections.abc import Iterator

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, ListProvider, TestClock
from processes import (
    NAME,
    NOW,
    gateway,
    is_away,
    keeper_of,
    keys_listed,
    keys_paged,
    keys_read,
    until,
)
from reading import settled
from redis_cluster import RedisCluster, redis_cluster
from redis_server import needs_redis

pytestmark = needs_redis
ROWS = [change(second // 2, 1 + second % 3) for second in range(120, 0, -1)]
KEY = f"credit-gateway:2:{NAME}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with redis_cluster() as running:
        yield running


async def test_a_primary_that_dies_loses_nothing_and_its_replica_is_used(
    cluster: RedisCluster,
) -> None:
    clock = TestClock()
    provider = ListProvider(ROWS, "page", page_size=10)
    owner, turns = cluster.primary_of(KEY), 0

    async def between() -> None:
        nonlocal turns
        turns += 1
        clock.move(10)
        if turns == 3:
            owner.kill()

    async with (
        gateway(provider, clock, cluster.url) as one,
        gateway(provider, clock, cluster.url) as other,
    ):
        paged = await keys_paged([one, other], 10, between)
        deadline = 100
        while not keeper_of(one)._memory.is_current(NAME):
            deadline -= 1
            assert deadline, "the Cluster is not used again"
            await until(lambda: not is_away(one))
            clock.move(70)
            await one.read(ACCOUNT, CHANGES, NOW)
            await settled(one)
        owner.start()
        cluster.wait_until_whole()
    calls = provider.calls
    async with gateway(provider, clock, cluster.url) as fresh:
        anew = await keys_read(fresh)

    assert paged == anew == keys_listed(provider)
    assert provider.calls == calls
