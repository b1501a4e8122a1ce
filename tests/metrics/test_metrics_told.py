"""What is told: the names in the README, in Prometheus's conventions, and nobody's data."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from scraping import scrape
from world import World, world

from app.metrics.metrics import Metrics

README = (Path(__file__).parents[2] / "README.md").read_text()
QUERY = 'query Named { customer(reference: "C-1001") { payments(first: 5) { nodes { id } } } }'
_BASE_UNITS = ("_seconds", "_bytes", "_fds", "_info", "_limit", "_cost")
_OTHER_UNITS = re.compile(r"_(milli|micro)?(minutes|hours|days|ms|kilobytes|megabytes|percent)\b")


class Named(NamedTuple):
    """A metric as the code has it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    told: str


def named(metrics: Metrics) -> list[Named]:
    """Return all metrics, in the order in which they are told."""
    return [
        Named(
            f"{one._name}_total" if one._type == "counter" else one._name,
            str(one._type),
            tuple(one._labelnames),
            one._documentation,
        )
        for one in metrics._registry._collector_to_names
        if isinstance(one, MetricWrapperBase)
    ]


def table(metrics: list[Named]) -> str:
    """Return the metrics as the README has to show them."""
    rows = "\n".join(
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{name}`' for name in one.labels)} "
        f"| {one.told} |"
        for one in metrics
    )
    return f"| name | kind | labels | meaning |\n| --- | --- | --- | --- |\n{rows}\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("told"), entries=5) as one:
        yield one


def test_the_readme_names_every_metric() -> None:
    shown = README.split("<!-- metrics -->\n")[1].split("<!-- /metrics -->")[0]
    needed = table(named(Metrics()))

    assert shown.strip() == needed.strip(), f"write this between the marks:\n{needed}"


def test_what_the_runbook_alarms_on_is_there() -> None:
    names = {one.name for one in named(Metrics())}

    meant = set(re.findall(r"\b(credit_gateway_\w+)", README))

    assert len(meant) > 10
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in meant} <= names


def test_what_is_served_is_what_is_named(gateway: World) -> None:
    gateway.data(QUERY)
    by_name = {re.sub("_total$", "", one.name): one for one in named(Metrics())}

    told = scrape(gateway.http)

    assert set(told.families) == set(by_name)
    for name, family in told.families.items():
        assert family.type == by_name[name].kind
        assert family.documentation == by_name[name].told
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(by_name[name].labels)


def faults(one: Named) -> list[str]:
    """Return what the conventions of Prometheus have against a metric."""
    found = []
    if not one.name.startswith(("credit_gateway_", "process_")):
        found.append("another prefix")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", one.name):
        found.append("not in lower case")
    if (one.kind == "counter") != one.name.endswith("_total"):
        found.append("a counter, and nothing else, ends in _total")
    if one.kind == "histogram" and not one.name.endswith(_BASE_UNITS):
        found.append("no base unit")
    if _OTHER_UNITS.search(one.name) or re.search(r"_(bucket|count|sum)$", one.name):
        found.append("another unit, or a reserved ending")
    if len(one.told) < 10 or not one.told.endswith("."):
        found.append("no help")
    return found


def test_the_conventions_are_followed() -> None:
    broken = {one.name: faults(one) for one in named(Metrics())}

    assert not {name: found for name, found in broken.items() if found}


def test_what_breaks_the_conventions_is_found() -> None:
    good = Named("credit_gateway_waits_total", "counter", (), "Waits for a provider.")

    assert not faults(good)
    assert faults(good._replace(name="credit_gateway_waits"))
    assert faults(good._replace(name="waits_total"))
    assert faults(good._replace(kind="gauge"))
    assert faults(good._replace(name="credit_gateway_wait_ms", kind="histogram"))
    assert faults(good._replace(told=""))


def test_nobody_s_data_and_nothing_that_was_sent_is_told(gateway: World) -> None:
    gateway.data(QUERY)
    gateway.ask('query Odd { customer(reference: "C-1002") { nonsense } }')
    before = sum(1 for _ in scrape(gateway.http).samples)

    for number in range(20):
        gateway.http.get(f"/secret-{number}?key=value-{number}")
        gateway.http.request(f"ODD{number}", "/graphql")
        document = f'query Name{number} {{ customer(reference: "X-{number}") {{ id }} }}'
        gateway.ask(document)

    text = gateway.http.get("/metrics").text
    # Another path, and another method: two series, and the histogram of one of them.
    assert sum(1 for _ in scrape(gateway.http).samples) - before < 25
    for word in ("secret-", "ODD", "C-100", "X-1", "Name", "nonsense", "anonymous"):
        assert word not in text


def test_openmetrics_is_told_to_whom_accepts_it(gateway: World) -> None:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}

    response = gateway.http.get("/metrics", headers=accept)

    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.headers["cache-control"] == "no-store"
    read = text_string_to_metric_families(response.text)  # type: ignore[no-untyped-call]
    assert len(list(read)) > 30


def test_only_names_of_this_machine_are_answered_where_nobody_is_asked_who_they_are(
    gateway: World,
) -> None:
    response = gateway.http.get("/metrics", headers={"Host": "metrics.example.com"})

    assert response.status_code == 421
    assert "credit_gateway" not in response.text


def test_it_is_read_only(gateway: World) -> None:
    assert gateway.http.post("/metrics").status_code == httpx.codes.METHOD_NOT_ALLOWED


def test_each_application_counts_for_itself(gateway: World, tmp_path: Path) -> None:
    gateway.data(QUERY)

    with world(tmp_path, entries=5) as other:
        told = scrape(other.http)

    assert told.value("credit_gateway_http_requests_total", path="graphql") == 0
    assert scrape(gateway.http).value("credit_gateway_http_requests_total", path="graphql") > 0
    assert json.dumps(sorted(told.families)) == json.dumps(sorted(scrape(gateway.http).families))
