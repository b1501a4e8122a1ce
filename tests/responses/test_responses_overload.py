"""While as many requests as may be are under way, Redis is not asked for the answers to more."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from asking_again import LONG, ask, data, is_hit, settled, sharing
from lists import until
from redis_server import RedisServer, needs_redis, redis_server
from world import World, world

pytestmark = needs_redis
PAYMENTS = """{ customer(reference: "C-1002") {
  payments(first: 1) { nodes { id } sources { state } } } }"""
SLOW = {"kind": "latency", "ms": 2000, "path": "/user/payments"}
FEW = {"SERVER__MAX_IN_FLIGHT": "1", "CACHE__RESPONSE_MEMORY": "1B"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=15) as one:
        yield one


def looks(redis: RedisServer) -> int:
    """Return how often Redis was asked for answers."""
    with redis.client() as client:
        counted = client.info("commandstats").get("cmdstat_mget", {"calls": 0})
    return int(counted["calls"])


def test_what_is_in_redis_is_given_until_no_more_may_be_under_way_and_then_not_looked_for(
    served: World,
) -> None:
    with (
        redis_server() as redis,
        sharing(served, redis, **FEW) as one,
        ThreadPoolExecutor() as pool,
    ):
        ask(one)
        settled(redis)
        before = ask(one)
        one.sandbox.set_fault("cloudreve", SLOW)
        one.sandbox.reset_calls()
        asked = pool.submit(ask, one, PAYMENTS, {})
        until(lambda: one.sandbox.calls().get("cloudreve /user/payments"))
        looked = looks(redis)
        refused = [ask(one) for _ in range(3)]
        looked_since = looks(redis) - looked
        slow = asked.result()
        after = ask(one)

        assert is_hit(before)
        assert [each.status_code for each in refused] == [503] * 3
        assert all(each.headers["retry-after"] for each in refused)
        assert looked_since == 0
        assert data(slow)["customer"]["payments"]
        assert is_hit(after)
        assert after.content == before.content
        assert looks(redis) > looked
