"""What compose.yaml starts does what it is for, run outside of containers."""

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from draining import outcome
from postgres_server import BINARIES, PostgresServer
from redis_server import free_port
from scraping import scrape
from shipped import manifests, seconds
from stack import ADDRESSES, NEEDED, SERVICES, Stack, is_ok, stack
from streaming import begun, hear, subscribe

# Everything of it is started in processes, which takes as many times longer as others compute.
pytestmark = [*NEEDED, pytest.mark.timeout(400)]
SUBSCRIPTION = 'subscription { creditChangeAdded(reference: "C-1001") { id } }'
ACCOUNTS = '{ customer(reference: "C-1001") { accounts { id provider { name } } } }'
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { sources { state } } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("run"), postgres) as one:
        yield one


@pytest.fixture
def http(served: Stack) -> Iterator[httpx.Client]:
    """Return a client of the load balancer, which may read all customers."""
    with httpx.Client(
        base_url=served.public, headers=served.headers, timeout=20, trust_env=False
    ) as one:
        yield one


def test_both_gateways_are_asked_and_answer(served: Stack, http: httpx.Client) -> None:
    query = '{ customer(reference: "C-1001") { reference } }'
    answers = [http.post("/graphql", json={"query": query}).json() for _ in range(20)]
    counted = []
    for address in ADDRESSES:
        with httpx.Client(base_url=served.origin(address), trust_env=False) as gateway:
            counted.append(
                scrape(gateway).value("credit_gateway_http_requests_total", path="graphql")
            )

    assert answers == [{**answers[0], "data": {"customer": {"reference": "C-1001"}}}] * 20
    assert min(counted) >= 5, counted


def test_metrics_are_kept_from_the_outside(served: Stack, http: httpx.Client) -> None:
    paths = "/metrics", "/%6detrics", "/metrics?a=b"
    outside = [http.get(path).status_code for path in paths]
    there = served.origin(ADDRESSES[0])
    inside = [httpx.get(there + path, trust_env=False).status_code for path in paths]

    assert outside == [404, 404, 404]
    assert inside == [200, 200, 200]
    assert http.get("/livez").status_code == 200


def test_what_kubernetes_probes_is_answered(served: Stack) -> None:
    (container,) = manifests()["deployment.yaml"]["spec"]["template"]["spec"]["containers"]
    probed = {
        name: httpx.get(
            served.origin(ADDRESSES[0]) + container[f"{name}Probe"]["httpGet"]["path"],
            trust_env=False,
        ).text
        for name in ("startup", "readiness", "liveness")
    }

    assert probed == dict.fromkeys(probed, "ok\n")


@asynccontextmanager
async def news(served: Stack) -> AsyncIterator[None]:
    """Have a provider tell of another entry every second, and a gateway hear of it."""

    async def tell_for_ever() -> None:
        async with httpx.AsyncClient(
            base_url=served.public, headers=served.headers, timeout=20, trust_env=False
        ) as http:
            found = (await http.post("/graphql", json={"query": ACCOUNTS})).json()
            accounts = found["data"]["customer"]["accounts"]
            (one,) = [one for one in accounts if one["provider"]["name"] == "hosting"]
            while True:
                await asyncio.sleep(1)
                served.providers.sandbox.add_entry("hostup", "credit_changes", "C-1001")
                asking = {"query": REFRESH, "variables": {"id": one["id"]}}
                assert "errors" not in (await http.post("/graphql", json=asking)).json()

    telling = asyncio.create_task(tell_for_ever())
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def test_events_pass_while_their_stream_goes_on(served: Stack) -> None:
    headers = {**served.headers, "Accept": "text/event-stream"}
    told = ""
    async with (
        asyncio.timeout(60),
        news(served),
        httpx.AsyncClient(base_url=served.public, headers=headers, trust_env=False) as http,
        http.stream("POST", "/graphql", json={"query": SUBSCRIPTION}, timeout=30) as response,
    ):
        async for line in response.aiter_lines():
            told = line
            if line.startswith("data: "):
                break

    assert "creditChangeAdded" in told


async def test_a_websocket_passes(served: Stack) -> None:
    async with asyncio.timeout(60), news(served), begun(served.public, served.headers) as socket:
        await subscribe(socket, "a", SUBSCRIPTION)
        told = await hear(socket)

    assert told["payload"]["data"]["creditChangeAdded"]["id"]


@pytest.mark.parametrize("is_there", [True, False])
def test_the_health_check_of_postgresql(
    is_there: bool,  # noqa: FBT001 - a case
    postgres: PostgresServer,
) -> None:
    assert BINARIES
    how, program, *options = SERVICES["postgres"]["healthcheck"]["test"]
    port = postgres.port if is_there else free_port()
    asked = subprocess.run(
        [BINARIES / program, *options, f"--port={port}"], capture_output=True, check=False
    )

    assert how == "CMD"
    assert (asked.returncode == 0) is is_there


async def loaded(served: Stack, address: str, how: signal.Signals) -> tuple[Counter[str], float]:
    """Stop a gateway while the load balancer is asked; return outcomes and how long it took."""
    outcomes: Counter[str] = Counter()

    async def ask_for_ever() -> None:
        async with httpx.AsyncClient(
            base_url=served.public, headers=served.headers, timeout=30, trust_env=False
        ) as http:
            while True:
                outcomes[await outcome(http)] += 1

    asking = [asyncio.create_task(ask_for_ever()) for _ in range(8)]
    await asyncio.sleep(1)
    began = time.monotonic()
    served.gateways[address].tell(how)
    status = await asyncio.to_thread(served.gateways[address].ended)
    took = time.monotonic() - began
    await asyncio.sleep(1)
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    outcomes[f"status {status}"] += 1
    served.gateways[address].end()
    await asyncio.to_thread(served.start, address)
    return outcomes, took


async def test_a_gateway_that_is_told_to_stop_loses_no_request(served: Stack) -> None:
    outcomes, took = await loaded(served, ADDRESSES[0], signal.SIGTERM)

    assert set(outcomes) == {"answered", "status 0"}, outcomes
    assert outcomes["answered"] > 100
    assert took < seconds(SERVICES["gateway"]["stop_grace_period"])


async def test_a_gateway_that_is_killed_loses_some(served: Stack) -> None:
    outcomes, _ = await loaded(served, ADDRESSES[1], signal.SIGKILL)

    assert set(outcomes) - {"answered"} - {one for one in outcomes if one.startswith("status")}


def test_the_balancer_is_healthy_while_there_is_a_gateway(served: Stack) -> None:
    assert is_ok(served.health)
    for address in ADDRESSES:
        served.gateways[address].tell(signal.SIGTERM)
    status = httpx.get(served.health, trust_env=False).status_code
    deadline = time.monotonic() + 60
    while status == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
        status = httpx.get(served.health, trust_env=False).status_code
    for address in ADDRESSES:
        assert served.gateways[address].ended() == 0
        served.gateways[address].end()
        served.start(address)

    assert status == 503
