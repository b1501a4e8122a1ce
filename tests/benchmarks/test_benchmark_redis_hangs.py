"""
What a Redis that hangs adds to the time of a request, by a client's watch.

The gateway is a process of its own. Its histories are in its memory, and stay current there while
its subscription lives; when that is lost, each has to be looked for in Redis again.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from statistics import median
from typing import NamedTuple

import httpx
import pytest
from figures import note
from gateways import gateways
from redis_server import RedisServer, needs_redis, redis_server
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

pytestmark = [needs_redis, pytest.mark.alone]

MORE = """
[cache]
url = "{redis}"
fresh_for = "1d"

[limits]
rate = "1000000/minute"
"""
# No question is asked twice, so that no kept answer is measured.
QUERY = """query($from: DateTime) { customer(reference: "C-1001") {
  creditChanges(first: 10, filter: {from: $from}) {
    nodes { id amount { amount unit } } sources { state } } } }"""
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
AT_ONCE = 4
CYCLES = 3
# How long what was confirmed last may be served unasked, and a bit.
UNTIL_DOUBTED = 3.5
# The guard looks twice a second whether Redis is back.
UNTIL_BACK = 1.5
TRIES = 3


class Served(NamedTuple):
    redis: RedisServer
    http: httpx.Client
    numbers: Iterator[int]

    def ask(self, _: object = None) -> float:
        """Return how long a request took, in milliseconds."""
        variables = {"from": (LONG_AGO + timedelta(seconds=next(self.numbers))).isoformat()}
        began = time.perf_counter()
        response = self.http.post("/graphql", json={"query": QUERY, "variables": variables})
        took = (time.perf_counter() - began) * 1000
        changes = response.json()["data"]["customer"]["creditChanges"]
        assert len(changes["nodes"]) == 10
        assert [source["state"] for source in changes["sources"]] == ["FRESH"] * 3
        return took

    def ask_at_once(self) -> list[float]:
        with ThreadPoolExecutor(AT_ONCE) as several:
            return list(several.map(self.ask, range(AT_ONCE)))

    def ask_for(self, seconds: float) -> list[float]:
        end = time.monotonic() + seconds
        times = []
        while time.monotonic() < end:
            times.append(self.ask())
            time.sleep(0.02)
        return times

    def doubt(self) -> None:
        """Take the gateway's subscription away, so that it has to ask Redis."""
        with self.redis.client() as client:
            assert client.client_kill_filter(_type="pubsub") == 1
        deadline = time.monotonic() + 5
        with self.redis.client() as client:
            while not client.pubsub_channels():
                assert time.monotonic() < deadline, "it did not subscribe again"
                time.sleep(0.02)
        time.sleep(0.05)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hangs")
    with redis_server() as redis, SandboxServer(Sandbox(entries=120)) as providers:
        file = configuration(folder, providers.url, MORE.format(redis=redis.url))
        customers = providers.sandbox.sample_customers()
        asyncio.run(import_customers(settings.load(file, {}), customers))
        with (
            gateways(file, 1) as origins,
            httpx.Client(base_url=origins[0], timeout=30, trust_env=False) as http,
        ):
            one = Served(redis, http, count())
            one.ask_at_once()
            yield one


class Added(NamedTuple):
    """Milliseconds more than with a healthy Redis: of the first ones, and of those after them."""

    first: float
    then: float


def added_in_memory(served: Served) -> Added:
    """Measure histories that are current in memory until nothing was confirmed for too long."""
    healthy = median(served.ask_for(1))
    served.redis.pause()
    try:
        until_doubted = served.ask_for(UNTIL_DOUBTED)
        then = served.ask_for(1)
    finally:
        served.redis.go_on()
    time.sleep(UNTIL_BACK)
    return Added(max(until_doubted) - healthy, median(then) - healthy)


def added_where_redis_is_asked(served: Served) -> Added:
    """Measure histories that have to be asked for, by several requests at once."""
    healthy_first: list[float] = []
    healthy_then: list[float] = []
    first: list[float] = []
    then: list[float] = []
    for _ in range(CYCLES):
        served.doubt()
        healthy_first += served.ask_at_once()
        healthy_then += served.ask_for(0.5)
        served.doubt()
        served.redis.pause()
        try:
            first += served.ask_at_once()
            then += served.ask_for(0.5)
        finally:
            served.redis.go_on()
        time.sleep(UNTIL_BACK)
    return Added(median(first) - median(healthy_first), median(then) - median(healthy_then))


@pytest.mark.parametrize("measure", [added_in_memory, added_where_redis_is_asked])
def test_a_redis_that_hangs_adds_at_most_150_ms_to_the_first_requests_and_then_5_ms(
    served: Served, measure: Callable[[Served], Added]
) -> None:
    tries: list[Added] = []
    while not tries or (not _is_within(tries[-1]) and len(tries) < TRIES):
        tries.append(measure(served))

    told = measure.__name__.replace("_", " ")
    note(f"{told}, first requests while Redis hangs", f"{tries[-1].first:.0f} ms", "150 ms")
    note(f"{told}, then", f"{tries[-1].then:.1f} ms", "5 ms")
    assert _is_within(tries[-1]), tries


def _is_within(added: Added) -> bool:
    return added.first <= 150 and added.then <= 5
