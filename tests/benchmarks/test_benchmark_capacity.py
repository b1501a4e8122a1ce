"""Three times what a gateway can answer is offered: most of that is answered, the rest refused."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import offering
import pytest
from figures import note
from gateways import gateways
from offering import Outcome
from raw import post
from world import configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

QUERY = """{ customer(reference: "C-1001") { creditChanges(first: 10) {
  nodes { id amount { amount } } sources { state } } } }"""
SECONDS = 4
CONNECTIONS = 800
# Others on the machine make single runs worse, and nothing makes them better.
MOST_RUNS = 3
LEAST_SHARE, MOST_SECONDS = 0.8, 0.02


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    with SandboxServer(Sandbox(entries=120)) as providers:
        config = configuration(tmp_path, providers.url, '[cache]\nfresh_for = "1h"')
        customers = providers.sandbox.sample_customers()
        asyncio.run(import_customers(settings.load(config, {}), customers))
        with gateways(config, 1) as (one,):
            yield one


def offered(origin: str, connections: int, rate: float) -> Outcome:
    """Offer so many requests a second from a process of its own; 0 is as many as are answered."""
    host, _, port = origin.removeprefix("http://").rpartition(":")
    numbers = map(str, (connections, SECONDS, rate))
    request = post(json.dumps({"query": QUERY}).encode())
    ended = subprocess.run(
        [sys.executable, offering.__file__, host, port, *numbers],
        input=request,
        capture_output=True,
        check=True,
        timeout=SECONDS + 30,
    )
    return msgspec.json.decode(ended.stdout, type=Outcome)


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_of_three_times_the_peak_most_of_it_is_answered_and_the_rest_refused_soon(
    origin: str,
) -> None:
    offered(origin, 4, 0)
    shares, medians = [], []
    for _ in range(MOST_RUNS):
        before = offered(origin, 8, 0).rate(200)
        much = offered(origin, CONNECTIONS, 3 * before)
        # A peak that others on the machine held down on one side would flatter what is between.
        peak = max(before, offered(origin, 8, 0).rate(200))
        assert set(much.answered) == {"200", "503"}
        assert (much.lost, much.without_retry_after) == (0, 0)
        shares.append(much.rate(200) / peak)
        medians.append(much.within(503, 0.5))
        if max(shares) >= LEAST_SHARE and min(medians) < MOST_SECONDS:
            break

    note("goodput with 3 x the peak offered", f"{max(shares):.0%} of the peak", "80%")
    note("a refusal, half of them", f"{min(medians) * 1000:.1f} ms", "20 ms")
    assert max(shares) >= LEAST_SHARE
    assert min(medians) < MOST_SECONDS
