"""
What it costs to see: a tenth of a query's processor time at most for traces, and less for the log.

Gateways of which one is traced, one logs, and one does neither are asked the same in turn, a few
queries at a time, and all that their processes computed is compared.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
from figures import note
from gateway_process import Gateway, gateway
from trace_collector import Collector, collector

from app.sandbox import Sandbox, SandboxServer

# It is executed each time, from mirrors that are there.
PAGE = """query Page { customer(reference: "C-1001") { creditChanges(first: 50) {
  nodes { id occurredAt amount { amount unit } kind reason } sources { state } } } }"""
MORE = '[cache]\nfresh_for = "1h"\nresponses = false\n[observability]\n'
ROUNDS, QUERIES = 40, 25
MOST = 1.10

pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not Path("/proc/self/schedstat").is_file(), reason="Linux tells what a process computed"
    ),
]


def computed(one: Gateway) -> int:
    """Return for how many nanoseconds all threads of a gateway have computed."""
    tasks = Path(f"/proc/{one.process.pid}/task")
    return sum(int((one / "schedstat").read_text().split()[0]) for one in tasks.iterdir())


@pytest.fixture(scope="module")
def collecting() -> Iterator[Collector]:
    with collector() as one:
        yield one


@pytest.fixture(scope="module")
def gateways(
    tmp_path_factory: pytest.TempPathFactory, collecting: Collector
) -> Iterator[Mapping[str, Gateway]]:
    settings = {
        "nothing": "log_requests = false",
        "traces": f'log_requests = false\notlp_endpoint = "{collecting.url}"',
        "log": "log_requests = true",
        "more work": "log_requests = false",
    }
    folder = tmp_path_factory.mktemp("cost")
    with ExitStack() as stack:
        providers = stack.enter_context(SandboxServer(Sandbox(entries=120)))
        yield {
            name: stack.enter_context(gateway(folder / name, providers, MORE + more))
            for name, more in settings.items()
        }


@pytest.fixture(scope="module")
def ratios(gateways: Mapping[str, Gateway]) -> Mapping[str, float]:
    """Return how much each computes in comparison to the one that does nothing beside."""
    spent: dict[str, list[int]] = {name: [] for name in gateways}
    for name, one in gateways.items():
        for _ in range(2 * QUERIES):
            assert "errors" not in one.ask(PAGE).json(), name
    for _ in range(ROUNDS):
        for name, one in gateways.items():
            before = computed(one)
            for _ in range(QUERIES + (QUERIES // 5 if name == "more work" else 0)):
                one.ask(PAGE)
            spent[name].append(computed(one) - before)
    alone = spent["nothing"]
    return {
        name: median(own / other for own, other in zip(each, alone, strict=True))
        for name, each in spent.items()
    }


def test_traces_cost_a_tenth_at_most(ratios: Mapping[str, float], collecting: Collector) -> None:
    note("a query that is traced, in processor time", f"{ratios['traces']:.3f} times", f"{MOST}")

    assert ratios["traces"] < MOST
    # All of it was sent while it was measured, but for the last moments.
    assert len(collecting.named("query Page")) > ROUNDS * QUERIES * 0.8


def test_a_line_of_the_log_costs_a_tenth_at_most(
    ratios: Mapping[str, float], gateways: Mapping[str, Gateway]
) -> None:
    note("a query that is logged, in processor time", f"{ratios['log']:.3f} times", f"{MOST}")

    assert ratios["log"] < MOST
    assert len(gateways["log"].told(operation="Page")) > ROUNDS * QUERIES * 0.8
    assert not gateways["nothing"].told(event="request")


def test_a_fifth_more_work_would_be_noticed(ratios: Mapping[str, float]) -> None:
    assert ratios["more work"] > MOST
