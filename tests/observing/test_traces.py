"""Traces as a collector gets them: of operations, loads and calls, by OpenTelemetry's protocol."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from gateway_process import Gateway, eventually, gateway
from scraping import scrape
from streaming import begun, hear, say
from trace_collector import Collector, Told, collector

from app.observing.correlation import Correlation, Parent
from app.observing.observer import Observer, end, operated
from app.observing.requests import RequestLog
from app.observing.spans import propagated, span
from app.observing.tracing import Tracing
from app.sandbox import Sandbox, SandboxServer

INTERNAL, SERVER, CLIENT = 1, 2, 3
PAGE = """query Page { customer(reference: "C-1001") {
  creditChanges(first: 5) { nodes { id } sources { state } } } }"""
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
SPANS = "credit_gateway_trace_spans_total"


@pytest.fixture
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=20)) as one:
        yield one


@pytest.fixture
def collecting() -> Iterator[Collector]:
    with collector() as one:
        yield one


def to(url: str, more: str = "") -> str:
    return f'[observability]\notlp_endpoint = "{url}"\n{more}\n'


@pytest.fixture
def traced(tmp_path: Path, providers: SandboxServer, collecting: Collector) -> Iterator[Gateway]:
    with gateway(tmp_path, providers, to(collecting.url)) as one:
        yield one


def under(spans: list[Told], outer: Told) -> list[Told]:
    """Return the spans that are within another one, however deep."""
    found = [one for one in spans if one.parent_id == outer.span_id]
    return [*found, *(inner for one in found for inner in under(spans, one))]


def test_an_operation_is_traced_down_to_its_calls(traced: Gateway, collecting: Collector) -> None:
    traced.ask(PAGE, {**SENT, "X-Request-ID": "mine"})
    traced.end()

    spans = collecting.trace(TRACE)
    (root,) = collecting.named("query Page")
    assert (root.kind, root.parent_id, root.trace_id) == (SERVER, SPAN, TRACE)
    assert root.attributes == {
        "credit_gateway.request_id": "mine",
        "credit_gateway.cache": "MISS",
        "credit_gateway.cost": root.attributes["credit_gateway.cost"],
        "graphql.operation.name": "Page",
        "graphql.operation.type": "query",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/graphql",
    }
    within = under(spans, root)
    assert len(within) == len(spans) - 1
    loads = [one.name for one in within if one.name.startswith("load ")]
    assert {"load customers_by_reference", "load answers"} <= set(loads)
    refreshes = [one for one in within if one.name == "mirror refresh"]
    assert {one.attributes["credit_gateway.provider"] for one in refreshes} == {
        *("cloud", "hosting", "loyalty")
    }
    for refresh in refreshes:
        calls = [one for one in under(spans, refresh) if one.kind == CLIENT]
        assert calls
        for call in calls:
            assert call.attributes["http.response.status_code"] == 200
            assert call.attributes["http.request.resend_count"] == 0
            assert call.attributes["url.template"].startswith("/")
    assert len({one.span_id for one in spans}) == len(spans)
    assert not [one for one in spans if one.is_error]
    assert collecting.resources[0]["service.name"] == "credit-gateway"
    assert set(collecting.paths) == {"/v1/traces application/json"}


def test_a_field_is_no_span(traced: Gateway, collecting: Collector) -> None:
    few, many = PAGE, PAGE.replace("first: 5", "first: 100").replace("{ id }", "{ id kind reason }")
    traced.ask(PAGE.replace("Page", "First"))  # whatever is asked of a provider is asked now
    traced.ask(few, SENT)
    before = TRACE.replace("0af7", "0af8")
    traced.ask(many, {"traceparent": f"00-{before}-{SPAN}-01"})
    traced.end()

    assert 1 < len(collecting.trace(TRACE)) == len(collecting.trace(before)) < 10


def test_a_failing_provider_is_told_by_tries_and_codes(
    traced: Gateway, providers: SandboxServer, collecting: Collector
) -> None:
    providers.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
    traced.ask(PAGE, SENT)
    traced.end()

    tries = [one for one in collecting.trace(TRACE) if one.name == "GET hosting"]
    counts: dict[object, list[object]] = {}
    for one in tries:
        counts.setdefault(one.attributes["url.template"], []).append(
            one.attributes["http.request.resend_count"]
        )
    assert all(told == list(range(len(told))) for told in counts.values())
    assert any(len(told) > 1 for told in counts.values())
    for one in tries:
        assert one.attributes["http.response.status_code"] == 503
        assert (one.is_error, one.message) == (True, "UPSTREAM_UNAVAILABLE")
        assert one.events == 0
    (refresh,) = [
        one
        for one in collecting.trace(TRACE)
        if one.name == "mirror refresh" and one.attributes["credit_gateway.provider"] == "hosting"
    ]
    assert refresh.message == "UPSTREAM_UNAVAILABLE"


def test_nobody_s_data_is_traced(traced: Gateway, collecting: Collector) -> None:
    said = "said-in-confidence"
    asked = f'query Find {{ customer(reference: "{said}") {{ id }} }}'
    traced.ask(asked, {**SENT, "Authorization": said, "Cookie": said, "baggage": f"a={said}"})
    traced.ask(PAGE, SENT)
    traced.http.get(f"/customers/{said}/payments.csv?from={said}")
    traced.http.get(f"/{said}?{said}")
    traced.end()

    written = b"".join(collecting.bodies)
    assert b"query Find" in written
    assert said.encode() not in written
    for word in (b"C-1001", b"anonymous", b"nodes", b"access_token", b"?"):
        assert word not in written


async def test_an_operation_of_a_websocket_is_a_trace_of_its_own(
    traced: Gateway, collecting: Collector
) -> None:
    async with begun(str(traced.http.base_url).rstrip("/")) as client:
        await say(client, id="q", type="subscribe", payload={"query": PAGE})
        await hear(client)
        await hear(client)
    traced.end()

    (root,) = collecting.named("query Page")
    (connection,) = collecting.named("GET /graphql")
    assert root.parent_id == ""
    assert root.trace_id != connection.trace_id
    assert under(collecting.trace(root.trace_id), root)


def test_a_caller_may_decide_that_it_is_not_traced(traced: Gateway, collecting: Collector) -> None:
    traced.ask(PAGE, {"traceparent": f"00-{TRACE}-{SPAN}-00"})
    traced.ask(PAGE.replace("Page", "Other"))
    traced.http.get("/livez")
    traced.end()

    assert not collecting.trace(TRACE)
    assert {one.name for one in collecting.spans if one.kind == SERVER} == {"query Other"}


def test_a_share_of_nothing_traces_only_whom_it_is_told_to(
    tmp_path: Path, providers: SandboxServer, collecting: Collector
) -> None:
    with gateway(tmp_path, providers, to(collecting.url, "trace_share = 0")) as one:
        one.ask(PAGE)
        one.ask(PAGE.replace("Page", "Told"), SENT)
        one.end()

    assert {each.trace_id for each in collecting.spans} == {TRACE}


def test_nothing_is_traced_where_there_is_no_collector(
    tmp_path: Path, providers: SandboxServer
) -> None:
    with gateway(tmp_path, providers) as one:
        one.ask(PAGE, SENT)
        told = scrape(one.http)

    assert told.value(SPANS) == 0


@pytest.mark.parametrize("how", ["away", "refusing"])
def test_a_collector_that_does_not_work_costs_nobody_an_answer(
    tmp_path: Path, providers: SandboxServer, how: str
) -> None:
    with ExitStack() as stack:
        one = stack.enter_context(collector())
        one.status = 503
        if how == "away":
            stack.close()
        served = stack.enter_context(gateway(tmp_path, providers, to(one.url)))
        for _ in range(3):
            assert served.ask(PAGE).json()["data"]

        lost = eventually(lambda: scrape(served.http).value(SPANS, outcome="lost"))
        assert lost > 3
        assert scrape(served.http).value(SPANS, outcome="taken") == 0
        (told,) = eventually(lambda: served.told(event="traces were not taken"))
        assert told["level"] == "warning"
        assert "request_id" not in told
        assert served.end() == 0


def test_what_was_taken_is_counted(traced: Gateway, collecting: Collector) -> None:
    traced.ask(PAGE)
    taken = eventually(lambda: scrape(traced.http).value(SPANS, outcome="taken"))

    assert taken == len(collecting.spans) > 3


async def test_what_is_not_traced_within_a_traced_connection_is_no_part_of_it() -> None:
    tracing, sent = Tracing(0.0), Parent(TRACE, SPAN, is_sampled=True)
    bodies: list[bytes] = []

    async def taken(body: bytes) -> bool:
        bodies.append(body)
        return True

    async def ask() -> None:
        with span("load"):
            assert propagated() == {}

    tracing.open(taken)
    observer = Observer(RequestLog(requests=False), tracing)
    connection = observer.begin(Correlation("mine", sent), "GET /graphql")
    before = propagated()
    await asyncio.create_task(operated(ask))
    end(connection, {})
    await tracing.close()

    assert before["traceparent"].startswith(f"00-{TRACE}-")
    assert b"GET /graphql" in bodies[0]
    assert b'"load"' not in bodies[0]
