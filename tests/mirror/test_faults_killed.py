"""A process that renews a mirror is killed at each step; another one reads on."""

import asyncio
import os
import signal
from collections.abc import Iterator
from time import monotonic

import pytest
from list_provider import CHANGES, TestClock
from mortal import Mortal, Task, account, mortal, provider_of
from processes import NOW, gateway
from redis_server import RedisServer, needs_redis, redis_server

from app.mirror.mirror import Mirror
from app.mirror.snapshot import Snapshot
from app.mirror.store import LEASE

pytestmark = needs_redis
# The lease, a look at whether it ended, and a busy machine.
LONGEST_WAIT_SECONDS = LEASE.total_seconds() + 1.5
MOST_STEPS = 100


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    with running.client() as client:
        client.flushall()
    return running


async def prepared(mirror: Mirror, name: str, work: str) -> None:
    """Leave a mirror in Redis on which the work can be done."""
    await mirror.read(account(name), CHANGES)
    if work == "rebuild":
        await mirror.deepen(account(name), CHANGES, None)


async def done_again(mirror: Mirror, name: str, work: str) -> Snapshot:
    """Do the work that another process was killed at."""
    if work == "deepen":
        return await mirror.deepen(account(name), CHANGES, None)
    if work == "rebuild" and (rebuilding := mirror.rebuild(account(name), CHANGES)):
        return await rebuilding
    return (await mirror.read(account(name), CHANGES, NOW)).snapshot


async def timed(mirror: Mirror, name: str, work: str) -> tuple[Snapshot, float]:
    began = monotonic()
    done = await done_again(mirror, name, work)
    return done, monotonic() - began


async def killed_at_each_step(
    process: Mortal, mirror: Mirror, clock: TestClock, task: Task
) -> list[str]:
    """Return the accounts at whose work the process was killed, each at another step."""
    killed: list[str] = []
    for step in range(1, MOST_STEPS):
        name = f"{step:016x}"
        await prepared(mirror, name, task.work)
        later = TestClock()
        later.now = clock.now
        later.move(10)
        one = Task(task.url, name, task.work, task.paging, later.now.isoformat(), step)
        if await process.done(one) == 0:
            return killed
        killed.append(name)
    raise AssertionError("the work does not end")


@pytest.mark.parametrize(
    ("work", "paging"), [("refresh", "cursor"), ("deepen", "page"), ("rebuild", "offset")]
)
async def test_who_was_killed_at_any_step_delays_others_by_its_lease_and_loses_nothing(
    work: str, paging: str, server: RedisServer
) -> None:
    provider, clock = provider_of(paging), TestClock()
    whole = tuple(provider.listed())
    async with mortal() as process, gateway(provider, clock, server.url) as mirror:
        task = Task(server.url, "", work, paging, "")
        names = await killed_at_each_step(process, mirror, clock, task)
        clock.move(10)
        ends = await asyncio.gather(*(timed(mirror, name, work) for name in names))
    before = provider.calls
    async with gateway(provider, clock, server.url) as fresh:
        read = [await fresh.deepen(account(name), CHANGES, None) for name in names]
        anew = [(await fresh.read(account(name), CHANGES)).snapshot for name in names]

    # Two for each operation of Redis and each call: to look, to ask, to save, to give back.
    assert len(names) >= 8
    assert max(waited for _, waited in ends) < LONGEST_WAIT_SECONDS
    assert all(done.entries == whole[: len(done.entries)] for done, _ in ends)
    assert all(len(done.entries) == len(whole) or work == "refresh" for done, _ in ends)
    assert all(snapshot.entries == whole for snapshot in read)
    assert all(snapshot.complete for snapshot in anew)
    assert provider.calls == before or work == "refresh"


async def test_a_lease_that_does_not_end_would_be_noticed(server: RedisServer) -> None:
    provider, clock = provider_of("cursor"), TestClock()
    with server.client() as client:
        client.set(f"credit-gateway:2:{{{1:016x}}}:1:{CHANGES}:lease", "somebody", px=60_000)
    async with gateway(provider, clock, server.url) as mirror:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await mirror.read(account(f"{1:016x}"), CHANGES)


async def test_who_stands_still_is_taken_over_from_and_overwrites_nothing(
    server: RedisServer,
) -> None:
    provider, clock, name = provider_of("cursor"), TestClock(), f"{1:016x}"
    async with mortal() as process, gateway(provider, clock, server.url) as mirror:
        await prepared(mirror, name, "refresh")
        clock.move(10)
        task = Task(server.url, name, "refresh", "cursor", clock.now.isoformat(), 0, 0.5)
        await process.begin(task)
        await process.told("asked")

        os.kill(process.child, signal.SIGSTOP)
        provider.add(provider.listed()[0])
        taken, waited = await timed(mirror, name, "refresh")
        os.kill(process.child, signal.SIGCONT)
        ended = int(await process.told("ended"))
        async with gateway(provider, clock, server.url) as fresh:
            there = (await fresh.read(account(name), CHANGES)).snapshot

    assert ended == 0
    assert 1 < waited < LONGEST_WAIT_SECONDS
    assert there.version == taken.version
    assert len(there.entries) == 5
