"""Counting is not felt: all that a warm query counts takes less than a hundredth of its time."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest
from prometheus_client import CollectorRegistry, Counter
from scraping import Scrape, scrape
from world import World, world

from app.metrics.metrics import Metrics

QUERY = """query($text: String) { customer(reference: "C-1001") {
  creditChanges(first: 50, filter: {text: $text}) { nodes { id amount { amount } } } } }"""
_ROUNDS = 7


def fastest(act: Callable[[], object]) -> float:
    """Return the seconds of the fastest of several turns: others use this machine, too."""

    def seconds() -> float:
        began = perf_counter()
        act()
        return perf_counter() - began

    return min(seconds() for _ in range(_ROUNDS))


def counts(told: Scrape) -> float:
    """Return how much was counted: each event of a counter, each amount of a histogram."""
    return sum(
        value
        for name, _, value in told.samples
        if name.startswith("credit_gateway_") and name.endswith(("_total", "_count"))
    )


def share(one: World, count: Callable[[], object]) -> float:
    """Return what counting takes of a query that is answered from memory, each time anew."""
    one.data(QUERY)
    before, number = counts(scrape(one.http)), 0

    def ask() -> None:
        nonlocal number
        number += 1
        one.data(QUERY, {"text": f"{number}"})

    seconds = fastest(ask)
    for_each = (counts(scrape(one.http)) - before) / _ROUNDS

    def count_thousands() -> None:
        for _ in range(1000):
            count()

    return for_each * fastest(count_thousands) / 1000 / seconds


@pytest.mark.alone
def test_counting_takes_less_than_a_hundredth_of_a_query(tmp_path: Path) -> None:
    metrics = Metrics()
    slow = Counter(
        "slow", "Asked for by its labels, ten times.", ["a"], registry=CollectorRegistry()
    )

    def count() -> None:
        metrics.request_seconds.observe("graphql", amount=0.003)  # the dearer of the two

    def count_dearly() -> None:
        for number in range(30):
            slow.labels(str(number)).inc()

    with world(tmp_path, entries=60) as one:
        cheap, dear = share(one, count), share(one, count_dearly)

    assert cheap < 0.01
    assert dear > 0.01
