"""One line for each request: who, what, how it ended, and of which sources; and no secret."""

import json
import sqlite3
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from gateway_process import Gateway, eventually, gateway
from scraping import scrape
from streaming import begun, hear, say, until

from app.sandbox import Sandbox, SandboxServer

PAGE = """query Page { customer(reference: "C-1001") {
  creditChanges(first: 5) { nodes { id } sources { state } } } }"""
SUBSCRIPTIONS = "credit_gateway_subscriptions_open"
# Of the kinds that a log must never have; none has the shape that the tests' canaries look for.
SAID = "said-in-confidence"


@pytest.fixture(scope="module")
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=20)) as one:
        yield one


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, providers: SandboxServer) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("log"), providers) as one:
        yield one


def line(one: Gateway, request_id: str, event: str = "request") -> dict[str, Any]:
    """Return the only line that tells of a request."""
    (found,) = eventually(lambda: one.told(request_id=request_id, event=event))
    return found


def test_a_line_says_who_asked_what_and_how_it_ended(served: Gateway) -> None:
    response = served.ask(PAGE, {"X-Request-ID": "whole"})

    told = line(served, "whole")
    assert response.headers["x-request-id"] == "whole"
    assert told.pop("duration_ms") > 0
    assert told.pop("upstream_ms") > 0
    assert told.pop("timestamp").endswith("Z")
    assert told.pop("cost") == response.json()["extensions"]["cost"]["requested"]
    assert told == {
        "level": "info",
        "event": "request",
        "request_id": "whole",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "bytes": int(response.headers["content-length"]),
        "viewer": "anonymous",
        "operation": "Page",
        "type": "query",
        "cache": "MISS",
        "sources": {"cloud": {"FRESH": 1}, "hosting": {"FRESH": 1}, "loyalty": {"FRESH": 1}},
    }


def test_an_answer_that_was_given_before_is_told_as_a_hit(served: Gateway) -> None:
    document = PAGE.replace("Page", "Again")
    served.ask(document)

    response = served.ask(document, {"X-Request-ID": "hit"})

    told = line(served, "hit")
    assert response.headers["x-request-id"] == "hit"
    assert (told["cache"], told["viewer"], told["status"]) == ("HIT", "anonymous", 200)
    assert "upstream_ms" not in told


@pytest.mark.parametrize(
    ("request_id", "body", "said"),
    [
        ("syntax", {"query": "{"}, {"GRAPHQL_PARSE_FAILED": 1}),
        ("field", {"query": "{ nope }"}, {"GRAPHQL_VALIDATION_FAILED": 1}),
        ("body", {"query": 1}, {"BAD_USER_INPUT": 1}),
        ("hash", {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}}, None),
    ],
)
def test_errors_are_told_by_their_codes(
    served: Gateway, request_id: str, body: dict[str, Any], said: dict[str, int] | None
) -> None:
    response = served.http.post("/graphql", json=body, headers={"X-Request-ID": request_id})

    told = line(served, request_id)
    assert told["codes"] == said or {"PERSISTED_QUERY_NOT_FOUND": 1}
    assert told["status"] == response.status_code


def test_refusals_have_an_id_too(served: Gateway) -> None:
    paths = {"/nowhere": 404, "/graphql": 415, "/customers/C-1001/payments.csv?from=x": 400}

    responses = {
        path: served.http.request("POST" if path == "/graphql" else "GET", path) for path in paths
    }

    for path, response in responses.items():
        told = line(served, response.headers["x-request-id"])
        assert told["status"] == response.status_code == paths[path]
        assert sum(told["codes"].values()) == 1


def test_an_export_is_told_by_its_kind_and_its_size(served: Gateway) -> None:
    response = served.http.get(
        "/customers/C-1001/credit-changes.csv", headers={"X-Request-ID": "export"}
    )

    told = line(served, "export")
    assert response.status_code == HTTPStatus.OK
    assert told["path"] == "/customers/{reference}/credit-changes.csv"
    assert (told["method"], told["viewer"]) == ("GET", "anonymous")
    assert told["bytes"] > 500


async def test_each_operation_of_a_websocket_has_a_line(served: Gateway) -> None:
    url = str(served.http.base_url).rstrip("/")
    subscription = 'subscription News { creditChangeAdded(reference: "C-1001") { id } }'
    async with begun(url) as client:
        await say(client, id="q", type="subscribe", payload={"query": PAGE})
        await hear(client)
        await say(client, id="x", type="subscribe", payload={"query": "{ nope }"})
        await hear(client)
        await say(client, id="s", type="subscribe", payload={"query": subscription})
        await until(lambda: scrape(served.http).value(SUBSCRIPTIONS) == 1)
        await say(client, id="s", type="complete")

    told = eventually(lambda: served.told(event="connection"))
    (connection,) = told
    name = connection["request_id"]
    lines = {one["request_id"]: one for one in served.told(event="operation")}
    assert (connection["status"], connection["path"]) == (101, "/graphql")
    assert set(lines) == {f"{name}.1", f"{name}.2", f"{name}.3"}
    assert lines[f"{name}.1"]["operation"] == "Page"
    assert (lines[f"{name}.1"]["events"], lines[f"{name}.1"]["viewer"]) == (1, "anonymous")
    assert lines[f"{name}.2"]["codes"] == {"GRAPHQL_VALIDATION_FAILED": 1}
    assert lines[f"{name}.3"]["type"] == "subscription"


def test_probes_are_not_told_while_all_is_well(served: Gateway) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        served.http.get(path, headers={"X-Request-ID": "probe"})
    served.http.post("/metrics", headers={"X-Request-ID": "no-probe"})

    assert line(served, "no-probe")["status"] == HTTPStatus.METHOD_NOT_ALLOWED
    assert not served.told(request_id="probe")


def test_nothing_that_a_caller_says_in_confidence_is_told(served: Gateway) -> None:
    link = """mutation($c: String!) { linkAccount(input: { customer: $c, provider: "hosting",
      label: "said-in-confidence", credentials: { hostup: { apiKey: "said-in-confidence" } } }) {
      account { id } } }"""
    served.http.post("/graphql", json={"query": link, "variables": {"c": SAID}})
    served.http.post(
        "/graphql",
        json={
            "query": f'query Find($t: String) {{ customer(reference: "{SAID}") {{ id }} '
            'c: customer(reference: "C-1001") { payments(after: $t) { nodes { id } } } }',
            "variables": {"t": SAID, "more": SAID},
        },
        headers={"Authorization": f"Bearer {SAID}", "Cookie": SAID, "X-Request-ID": f"{SAID}!"},
    )
    served.http.get(f"/{SAID}?{SAID}={SAID}")
    served.http.get(f"/customers/{SAID}/payments.csv?to={SAID}")
    served.http.request(SAID.replace("-", "").upper(), f"/graphql/{SAID}")
    last = served.ask("{ viewer { subject } }")

    line(served, last.headers["x-request-id"])
    assert SAID not in served.text
    assert SAID.replace("-", "").upper() not in served.text


@pytest.mark.parametrize("name", ["a\nb", 'a","level":"error', "a\x1b[2Jb", "a\u2028b", "a\x9bb"])
def test_a_line_cannot_be_forged(served: Gateway, name: str) -> None:
    before = len(served.text.splitlines())
    body = {"query": PAGE, "operationName": name}
    served.http.post("/graphql", json=body, headers={"User-Agent": "x"})
    last = served.ask("{ viewer { subject } }")

    line(served, last.headers["x-request-id"])
    text = served.text
    assert text.isascii()
    assert all(one.isprintable() for one in text.split("\n"))
    assert len(text.splitlines()) == before + 2


def test_an_internal_error_is_found_by_what_its_caller_was_told(
    tmp_path: Path, providers: SandboxServer
) -> None:
    with gateway(tmp_path, providers) as one:
        with sqlite3.connect(tmp_path / "credit-gateway.db") as directory:
            directory.execute("DROP TABLE customers")
        response = one.ask(PAGE, {"X-Request-ID": "broken"})

        (error,) = response.json()["errors"]
        (found,) = eventually(lambda: one.told(correlation_id=error["extensions"]["correlationId"]))
        assert (found["event"], found["level"]) == ("internal error", "error")
        assert found["request_id"] == "broken"
        assert found["exception"]
        assert line(one, "broken")["codes"] == {"INTERNAL": 1}


def test_other_lines_of_a_request_say_its_id(tmp_path: Path) -> None:
    with SandboxServer(Sandbox(entries=5)) as providers, gateway(tmp_path, providers) as one:
        providers.sandbox.set_fault("hostup", {"kind": "html"})
        one.ask(PAGE, {"X-Request-ID": "failing"})

        told = eventually(lambda: one.told(event="upstream failed"))
        assert {each["request_id"] for each in told} == {"failing"}
        sources = line(one, "failing")["sources"]
        assert sources["hosting"] == {"UNAVAILABLE": 1}


@pytest.mark.parametrize(
    ("settings", "requests", "hits"),
    [("log_requests = false", 0, 0), ("log_hits = false", 1, 0), ("", 1, 1)],
)
def test_lines_of_requests_can_be_left_out(
    tmp_path: Path, providers: SandboxServer, settings: str, requests: int, hits: int
) -> None:
    with gateway(tmp_path, providers, f"[observability]\n{settings}\n") as one:
        for _ in range(4):  # the same to the byte; the first is executed
            one.ask(PAGE)
        one.end()

        told = one.told(event="request")
        cached = [each for each in told if each["cache"] == "HIT"]
        assert bool(told) == bool(requests)
        assert bool(cached) == bool(hits)


def test_for_people_it_is_no_json_and_what_is_odd_is_escaped(
    tmp_path: Path, providers: SandboxServer
) -> None:
    with gateway(tmp_path, providers, '[observability]\nlog_format = "console"\n') as one:
        one.ask(PAGE, {"X-Request-ID": "people"})
        one.end()

        told = [each for each in one.text.splitlines() if "people" in each]
        assert len(told) == 1
        assert "operation='Page'" in told[0]
        with pytest.raises(json.JSONDecodeError):
            json.loads(told[0])
