"""
A Redis in any fault, under a whole gateway: all is answered, hardly later, and it is used again.

What becomes of the histories themselves is held in tests/mirror/test_faults_*, and of single
operations in tests/redis.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest
from fault_world import (
    PROVIDERS,
    REQUEST_SECONDS,
    STALE_AFTER_SECONDS,
    Faulty,
    faulty,
    is_whole,
)
from figures import note
from redis import Redis
from redis.exceptions import RedisError
from redis_cluster import redis_cluster
from redis_sentinel import redis_sentinels
from redis_server import RedisServer, needs_redis, redis_server
from wire_faults import CASES

# Beside others a try takes a minute, most of it to link customers.
pytestmark = [needs_redis, pytest.mark.alone, pytest.mark.timeout(400)]

WARM = [f"C-{number}" for number in range(1001, 1004)]
CUSTOMERS = 350
# For one failover alone; to link them takes a slow machine a minute.
FEWER_CUSTOMERS = 150
PACE_SECONDS = 0.01
# Where nothing is wrong with providers, these are slow by what else the machine does.
PATIENT = {f"GATEWAY_PROVIDERS__{name.upper()}__TIMEOUT": "1500ms" for name in PROVIDERS}
# What the first questions may wait longer than in quiet times, and then all others.
FIRST_SECONDS, THEN_SECONDS = 0.15, 0.005
# Longer than a process takes what it knows for certain after it last heard the others.
THEN_LASTS_SECONDS = 3.0
# As long as is measured, and some more.
PAUSE_MS = 4000
# In a second or two the others have agreed that a primary is lost, and which replica takes over.
FAILOVER_SECONDS = 2.0
Fault = Callable[[RedisServer], AbstractContextManager[None]]


@contextmanager
def stopped(server: RedisServer) -> Iterator[None]:
    server.pause()
    try:
        yield
    finally:
        server.go_on()


@contextmanager
def killed(server: RedisServer) -> Iterator[None]:
    server.kill()
    try:
        yield
    finally:
        server.start()


@contextmanager
def paused(server: RedisServer) -> Iterator[None]:
    with server.client() as client:
        client.client_pause(PAUSE_MS)
    until = time.monotonic() + PAUSE_MS / 1000
    yield
    time.sleep(max(until - time.monotonic(), 0))


class Times(NamedTuple):
    """Seconds that questions took, about what the process knows and about what it does not."""

    warm: list[float]
    cold: list[float]


class Added(NamedTuple):
    """Seconds more than in quiet times: at first, and then."""

    first: float
    then: float

    @property
    def is_little(self) -> bool:
        return self.first <= FIRST_SECONDS and self.then <= THEN_SECONDS


def asked_for(one: Faulty, seconds: float) -> Times:
    """Ask one after the other, and hold every answer to being whole."""
    times, end = Times([], []), time.monotonic() + seconds
    with unhindered():
        while time.monotonic() < end:
            for reference, kept in (
                *((each, times.warm) for each in WARM * 6),
                (one.unread(), times.cold),
            ):
                told = one.ask(reference)
                assert is_whole(told, "FRESH"), told.body
                kept.append(told.seconds)
            time.sleep(PACE_SECONDS)
    return times


@contextmanager
def unhindered() -> Iterator[None]:
    """Measure without looking for garbage here, which takes long beside thousands of tests."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def slowest(times: list[float]) -> float:
    """Return the 99th percentile."""
    return sorted(times)[int(0.99 * (len(times) - 1))]


def until_used(one: Faulty, keys: Callable[[], int]) -> None:
    """Return when what is read is kept in Redis again."""
    deadline = time.monotonic() + 20
    before = keys()
    while keys() <= before:
        assert time.monotonic() < deadline, "it is not used again"
        one.ask(one.unread())
        time.sleep(0.05)


def keys_of(server: RedisServer) -> Callable[[], int]:
    def keys() -> int:
        with server.client() as client:
            try:
                return int(client.dbsize())
            except RedisError:
                return 0

    return keys


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, server: RedisServer) -> Iterator[Faulty]:
    folder = tmp_path_factory.mktemp("redis")
    with faulty(folder, customers=CUSTOMERS, cache=server.url) as one:
        for reference in WARM:
            one.recovered(reference)
        yield one


def added_by(
    fault: AbstractContextManager[None], one: Faulty, keys: Callable[[], int], then_seconds: float
) -> Added:
    """Measure what a fault adds, and return when Redis is used again."""
    healthy = asked_for(one, 0.5)
    with fault:
        first = asked_for(one, 0.3)
        then = asked_for(one, then_seconds)
    until_used(one, keys)
    # Before and after, as a machine that others use has quiet times and busy ones.
    again = asked_for(one, 0.5)
    healthy = Times(healthy.warm + again.warm, healthy.cold + again.cold)
    return Added(
        # They are fewer than a hundred.
        max(first.warm + first.cold) - slowest(healthy.warm + healthy.cold),
        # How long providers take differs by more than what is looked for, so that the slowest
        # tell of histories in memory alone.
        max(slowest(then.warm) - slowest(healthy.warm), median(then.cold) - median(healthy.cold)),
    )


def assert_little_is_added(what: str, measure: Callable[[], Added]) -> None:
    added = measure()

    note(f"the slowest of the first, {what}", f"+{added.first * 1000:.0f} ms", "+150 ms")
    note(f"99 % of all others, {what}", f"+{added.then * 1000:.1f} ms", "+5 ms")
    assert added.is_little


@pytest.mark.parametrize("fault", [stopped, killed, paused])
def test_a_redis_in_a_fault_delays_the_first_questions_a_little_and_no_other(
    fault: Fault, server: RedisServer, served: Faulty
) -> None:
    assert_little_is_added(
        f"Redis {fault.__name__}",
        lambda: added_by(fault(server), served, keys_of(server), THEN_LASTS_SECONDS),
    )


@pytest.mark.parametrize("fault", [stopped, killed, paused])
def test_a_client_without_a_guard_waits_or_fails_in_the_same_fault(
    fault: Fault, server: RedisServer
) -> None:
    with fault(server), Redis.from_url(server.url, socket_timeout=1, retry=None) as client:
        began = time.perf_counter()
        with pytest.raises(RedisError):
            client.get("k")
        took = time.perf_counter() - began

    assert not Added(took, 0).is_little or fault is killed


def test_with_redis_and_all_providers_dead_what_the_process_knows_is_told(
    server: RedisServer, served: Faulty
) -> None:
    rows = {reference: served.recovered(reference).rows for reference in WARM}
    with stopped(server):
        for name in PROVIDERS:
            served.wire.set_fault(name, CASES["hang"].fault)
        served.move(STALE_AFTER_SECONDS)

        known = {reference: served.ask(reference) for reference in WARM * 5}
        unknown = served.ask(served.unread())
        served.wire.clear()
    until_used(served, keys_of(server))

    for reference, told in known.items():
        assert is_whole(told, "STALE"), told.body
        assert told.seconds < REQUEST_SECONDS
        assert told.rows == rows[reference]
    assert unknown.seconds < REQUEST_SECONDS
    assert unknown.states == dict.fromkeys(PROVIDERS, "UNAVAILABLE")
    assert len(unknown.errors) == len(PROVIDERS)
    assert {reference: served.recovered(reference).rows for reference in WARM} == rows


@contextmanager
def lasting(fault: AbstractContextManager[None], until: ExitStack) -> Iterator[None]:
    """Let a fault begin now, and end with something else."""
    until.enter_context(fault)
    yield


def lost_in_sentinel(how: Fault, folder: Path) -> Added:
    with (
        redis_sentinels() as found,
        faulty(folder, customers=FEWER_CUSTOMERS, cache=found.url, environment=PATIENT) as one,
        ExitStack() as end,
    ):
        for reference in WARM:
            one.recovered(reference)
        old = found.primary()
        (new,) = (each for each in found.servers if each is not old)
        assert keys_of(old)()

        added = added_by(lasting(how(old), end), one, keys_of(new), FAILOVER_SECONDS)

        assert found.primary() is new
        return added


def lost_in_cluster(how: Fault, folder: Path) -> Added:
    with (
        redis_cluster() as found,
        faulty(folder, customers=FEWER_CUSTOMERS, cache=found.url, environment=PATIENT) as one,
    ):
        for reference in WARM:
            one.recovered(reference)
        lost, replica = found.nodes[0], found.nodes[3]
        assert keys_of(lost)()

        with ExitStack() as end:
            # Its replica has what the lost one had, and takes what is read from now on.
            keys = keys_of(replica)
            added = added_by(lasting(how(lost), end), one, keys, FAILOVER_SECONDS)
        found.wait_until_whole()
        asked_for(one, 0.3)

        return added


@pytest.mark.parametrize("how", [stopped, killed])
@pytest.mark.parametrize("measured", [lost_in_sentinel, lost_in_cluster])
def test_a_primary_that_is_lost_delays_little_and_its_replica_is_used_without_a_restart(
    measured: Callable[[Fault, Path], Added],
    how: Fault,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    assert_little_is_added(
        f"a primary {measured.__name__}, {how.__name__}",
        lambda: measured(how, tmp_path_factory.mktemp("lost")),
    )
