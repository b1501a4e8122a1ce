"""A gateway that is told to stop loses no request; one that is killed does."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from draining import QUERY, Balancer, Served, client, outcome, served, until_refused
from figures import note
from redis_server import needs_redis, redis_server
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

# A gateway takes some seconds to start, and as many times longer as others use the processors.
pytestmark = pytest.mark.timeout(400)
CLIENTS = 8
STOPS = 10


@pytest.fixture
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=20, latency=timedelta(milliseconds=5))) as one:
        yield one


def configured(
    folder: Path, providers: SandboxServer, unready_for: str, cache: str = "embedded://"
) -> Path:
    more = f"""
[server]
unready_for = "{unready_for}"
[cache]
url = "{cache}"
fresh_for = "1h"
"""
    file = configuration(folder, providers.url, more)
    customers = providers.sandbox.sample_customers()
    asyncio.run(import_customers(settings.load(file, {}), customers))
    return file


async def balanced(config: Path, how: signal.Signals, stops: int) -> tuple[Counter[str], set[int]]:
    """Stop two gateways behind a balancer in turn, under load; return outcomes and statuses."""
    balancer, statuses = Balancer(), set()
    starting = (asyncio.to_thread(Served, config) for _ in range(2))
    gateways = [await (await one).until_ready() for one in starting]
    try:
        async with asyncio.TaskGroup() as group:
            watches = [group.create_task(balancer.watch(one.origin)) for one in gateways]
            await asyncio.sleep(0.5)
            asking = [group.create_task(balancer.ask_for_ever()) for _ in range(CLIENTS)]
            for stop in range(stops):
                await asyncio.sleep(0.3)
                gateways[0].tell(how)
                statuses.add(await asyncio.to_thread(gateways[0].ended))
                await asyncio.sleep(0.3)
                watches.pop(0).cancel()
                gateways.pop(0).end()
                if stop < stops - 1:
                    new = await (await asyncio.to_thread(Served, config)).until_ready()
                    gateways.append(new)
                    watches.append(group.create_task(balancer.watch(new.origin)))
            for task in (*asking, *watches):
                task.cancel()
    finally:
        for one in gateways:
            one.end()
    return balancer.outcomes, statuses


def test_ten_stops_behind_a_balancer_lose_no_request(
    tmp_path: Path, providers: SandboxServer
) -> None:
    config = configured(tmp_path, providers, "500ms")

    outcomes, statuses = asyncio.run(balanced(config, signal.SIGTERM, STOPS))

    failed = outcomes.total() - outcomes["answered"]
    told = f"{failed} of {outcomes.total()}"
    note(f"failed requests, {STOPS} x SIGTERM under load", told, "0")
    assert set(outcomes) == {"answered"}, outcomes
    assert outcomes.total() > 1000
    assert statuses == {0}


def test_a_gateway_that_is_killed_behind_a_balancer_loses_requests(
    tmp_path: Path, providers: SandboxServer
) -> None:
    config = configured(tmp_path, providers, "500ms")

    outcomes, _ = asyncio.run(balanced(config, signal.SIGKILL, 1))

    assert set(outcomes) > {"answered"}


async def kept(
    one: Served, how: signal.Signals, tell: Callable[[Served, signal.Signals], None] = Served.tell
) -> Counter[str]:
    """Ask by connections that are kept until nobody listens; return what came of it."""
    await one.until_ready()
    clients = [client(one.origin) for _ in range(CLIENTS)]
    asking = [asyncio.create_task(until_refused(http)) for http in clients]
    await asyncio.sleep(0.5)
    tell(one, how)
    outcomes = sum(await asyncio.gather(*asking), Counter[str]())
    for http in clients:
        await http.aclose()
    return outcomes


@pytest.mark.parametrize("unready_for", ["0s", "500ms"])
@pytest.mark.parametrize(
    ("workers", "tell"), [("1", Served.tell), ("2", Served.tell), ("2", Served.tell_group)]
)
def test_what_is_sent_before_nobody_listens_is_answered(
    tmp_path: Path,
    providers: SandboxServer,
    unready_for: str,
    workers: str,
    tell: Callable[[Served, signal.Signals], None],
) -> None:
    with served(configured(tmp_path, providers, unready_for), "--workers", workers) as one:
        outcomes = asyncio.run(kept(one, signal.SIGTERM, tell))
        status = one.ended()

    assert set(outcomes) == {"answered", "refused"}, outcomes
    assert status == 0


def test_what_is_sent_to_a_gateway_that_is_killed_is_lost(
    tmp_path: Path, providers: SandboxServer
) -> None:
    with served(configured(tmp_path, providers, "0s")) as one:
        outcomes = asyncio.run(kept(one, signal.SIGKILL))

    assert any(what.startswith("lost") for what in outcomes), outcomes


async def test_a_gateway_that_drains_says_so_and_serves(
    tmp_path: Path, providers: SandboxServer
) -> None:
    config = await asyncio.to_thread(configured, tmp_path, providers, "4s")
    with served(config) as one:
        await one.until_ready()
        async with client(one.origin) as http:
            before = await http.get("/readyz")
            one.tell(signal.SIGTERM)
            await asyncio.sleep(0.2)
            kept_one, new_one = await http.get("/readyz"), await http.get("/livez")
            answer = await http.post("/graphql", json={"query": QUERY})
        status = await asyncio.to_thread(one.ended)

    assert (before.status_code, before.text) == (200, "ok\n")
    assert "connection" not in before.headers
    assert (kept_one.status_code, kept_one.text) == (503, "draining\n")
    assert (new_one.status_code, answer.status_code, status) == (200, 200, 0)
    told = {one.headers.get("connection") for one in (kept_one, new_one, answer)}
    assert told == {"close"}


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_the_terminals_signal_lets_what_is_under_way_end_and_a_second_one_does_not(
    tmp_path: Path, providers: SandboxServer, workers: str
) -> None:
    config = await asyncio.to_thread(configured, tmp_path, providers, "0s")
    providers.sandbox.set_fault("hostup", {"kind": "latency", "ms": 3000})

    async def interrupted(times: int) -> tuple[str, int, float]:
        with served(config, "--workers", workers) as one:
            await one.until_ready()
            async with client(one.origin) as http:
                asked = asyncio.create_task(outcome(http))
                await asyncio.sleep(0.5)
                began = time.monotonic()
                for _ in range(times):
                    one.tell_group(signal.SIGINT)
                    await asyncio.sleep(0.2)
                status = await asyncio.to_thread(one.ended)
                return await asked, status, time.monotonic() - began

    patient = await interrupted(1)
    hasty = await interrupted(2)

    assert patient[:2] == ("answered", 0)
    assert patient[2] > 2
    assert hasty[0].startswith("lost")
    assert hasty[1] == -signal.SIGINT
    assert hasty[2] < 1.5


@needs_redis
@pytest.mark.parametrize(("how", "calls"), [(signal.SIGTERM, 1), (signal.SIGKILL, 2)])
async def test_a_fetch_whose_client_left_is_ended_and_kept_before_the_gateway_ends(
    tmp_path: Path, providers: SandboxServer, how: signal.Signals, calls: int
) -> None:
    with redis_server() as redis:
        config = await asyncio.to_thread(configured, tmp_path, providers, "0s", redis.url)
        providers.sandbox.set_fault("hostup", {"kind": "latency", "ms": 3000})
        with served(config) as one:
            await one.until_ready()
            async with client(one.origin) as http:
                soon = httpx.Timeout(20, read=0.7)
                with suppress(httpx.ReadTimeout):
                    await http.post("/graphql", json={"query": QUERY}, timeout=soon)
            one.tell(how)
            await asyncio.to_thread(one.ended)
        providers.sandbox.clear_fault("hostup")
        with served(config) as other:
            await other.until_ready()
            async with client(other.origin) as http:
                answered = await outcome(http)

    assert answered == "answered"
    assert providers.sandbox.calls()["hostup /billing/credit-log"] == calls
