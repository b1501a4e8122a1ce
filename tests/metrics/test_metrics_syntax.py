"""What is told can be read by Prometheus, follows its rules, and stays small whoever asks what."""

from collections.abc import Iterator
from http import HTTPStatus

import httpx
import pytest
from exposition import families, faults_of
from scraping import scrape
from streaming import begun, hear, say, socket
from websockets.exceptions import InvalidStatus
from world import World, world

GOOD = """# HELP waits_total Waits for a provider.
# TYPE waits_total counter
waits_total{provider="a"} 1.0
waits_total{provider="b"} 2.0
# HELP wait_seconds Time of waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 1.0
wait_seconds_bucket{le="+Inf"} 2.0
wait_seconds_count 2.0
wait_seconds_sum 0.5
# HELP open_things What is open.
# TYPE open_things gauge
open_things 0.0
"""
PAGE = """query Page { customer(reference: "C-1001") {
  creditChanges(first: 5) { nodes { id } sources { state } } balances { state } } }"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("syntax"), entries=10) as one:
        yield one


async def use(one: World) -> None:
    """Do a little of everything that is counted."""
    for query in (PAGE, PAGE, "{ nope }", "{"):
        one.ask(query)
    for path in ("/livez", "/nowhere", "/customers/C-1001/payments.csv", "/graphql/assets/x"):
        one.http.get(path)
    async with begun(one.url) as client:
        await say(client, id="q", type="subscribe", payload={"query": PAGE})
        await hear(client)


async def test_prometheus_has_nothing_against_it(served: World) -> None:
    await use(served)

    text = served.http.get("/metrics").text

    assert not faults_of(text)
    told, _ = families(text)
    assert len(told) > 35
    assert len([one for one in told if one.kind == "histogram" and one.samples]) >= 4


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("# HELP waits_total Waits for a provider.\n", ""),
        ("# TYPE waits_total counter\n", ""),
        ("# TYPE waits_total counter\n", "# TYPE waits_total counter\n" * 2),
        ("# TYPE waits_total counter", "# TYPE waits_total gauge"),
        ("waits_total", "waits"),
        ("waits_total", "waitsMany_total"),
        ("waits_total", "waits_counter_total"),
        ('waits_total{provider="b"}', 'waits_total{provider="a"}'),
        ('waits_total{provider="b"}', 'waits_total{Provider="b"}'),
        ('waits_total{provider="b"}', 'waits_total{provider="b",other="c"}'),
        ('waits_total{provider="b"}', 'waits_total{provider="b}'),
        ('waits_total{provider="b"}', 'waits_total{provider="\\x"}'),
        ('waits_total{provider="b"} 2.0', 'waits_total{provider="b"} -2.0'),
        ('waits_total{provider="b"} 2.0', 'waits_total{provider="b"} two'),
        ('waits_total{provider="b"} 2.0', "other_total 2.0"),
        ('provider="', 'instance="'),
        ("wait_seconds", "wait_ms"),
        ("wait_seconds", "wait_length"),
        ('wait_seconds_bucket{le="0.1"} 1.0', 'wait_seconds_bucket{le="0.1"} 3.0'),
        ('wait_seconds_bucket{le="+Inf"} 2.0\n', ""),
        ("wait_seconds_count 2.0", "wait_seconds_count 3.0"),
        ("wait_seconds_sum 0.5\n", ""),
        ("open_things", "open_things_count"),
        ("open_things 0.0\n", "open_things 0.0"),
        ("open_things 0.0", "open_things NaN"),
    ],
)
def test_what_is_wrong_is_found(good: str, bad: str) -> None:
    assert not faults_of(GOOD)
    assert good in GOOD

    assert faults_of(GOOD.replace(good, bad))


def test_a_series_for_each_caller_or_document_would_be_too_many(served: World) -> None:
    """However many ask for however much, the number of series has a bound that is known."""
    for number in range(30):
        served.ask(f'query Q{number} {{ customer(reference: "X-{number}") {{ id }} }}')
        served.http.get(f"/customers/X-{number}/payments.csv")
        served.http.get(f"/nowhere/{number}", headers={"X-Request-ID": f"id-{number}"})
        served.http.request(f"METHOD{number}", "/graphql")

    told, _ = families(served.http.get("/metrics").text)

    series = {one.name: len({sample.labels for sample in one.samples}) for one in told}
    of_requests = series.pop("credit_gateway_http_requests_total")
    assert of_requests <= 8 * 5 * 10  # paths, methods, and statuses that there are
    buckets = {one.name: len(one.samples) for one in told if one.kind == "histogram"}
    assert (
        max(count for name, count in series.items() if name not in buckets) <= 3 * 10
    )  # by provider and outcome
    assert sum(series.values()) < 1000


async def test_a_handshake_is_counted_by_how_it_is_answered(served: World) -> None:
    def counted(status: HTTPStatus) -> float:
        return scrape(served.http).value(
            "credit_gateway_http_requests_total", path="graphql", method="GET", status=f"{status:d}"
        )

    before = [counted(one) for one in (HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.FORBIDDEN)]

    async with socket(served.url):
        pass
    with pytest.raises(InvalidStatus):
        async with socket(served.url, origin="https://elsewhere.example.com"):
            pass

    after = [counted(one) for one in (HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.FORBIDDEN)]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]


def test_it_is_told_in_both_formats(served: World) -> None:
    openmetrics = {"Accept": "application/openmetrics-text;version=1.0.0"}

    plain = served.http.get("/metrics")
    newer = served.http.get("/metrics", headers=openmetrics)

    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert newer.text.endswith("# EOF\n")
    assert {plain.status_code, newer.status_code} == {httpx.codes.OK}
