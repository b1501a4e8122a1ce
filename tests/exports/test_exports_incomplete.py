"""An export is whole or an error: where a history cannot be read to its end, nothing is sent."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from exports_world import code, exported, lines, listed
from world import World, world

MORE = """
[server]
request_timeout = "3s"

[limits]
cost = 1000000
"""
DAY = timedelta(days=1)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, entries=250, more=MORE) as one:
        yield one


@contextmanager
def failing(served: World, provider: str, fault: Mapping[str, Any]) -> Iterator[None]:
    served.sandbox.set_fault(provider, fault)
    try:
        yield
    finally:
        served.sandbox.clear_fault(provider)


DOWN: Mapping[str, Any] = {"kind": "status", "headers": {"Retry-After": "90"}}
FAULTS = [
    (DOWN, 503, "UPSTREAM_UNAVAILABLE"),
    ({"kind": "status", "status": 429}, 503, "UPSTREAM_RATE_LIMITED"),
    ({"kind": "html"}, 502, "UPSTREAM_INVALID_RESPONSE"),
    ({"kind": "status", "status": 401}, 502, "UPSTREAM_UNAUTHORIZED"),
    ({"kind": "hang"}, 504, "UPSTREAM_TIMEOUT"),
]


@pytest.mark.parametrize(("fault", "status", "says"), FAULTS)
@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_a_history_that_cannot_be_read_is_an_error_in_place_of_all_rows(
    served: World, form: str, fault: Mapping[str, Any], status: int, says: str
) -> None:
    with failing(served, "hostup", fault):
        refused = exported(served, "creditChanges", form)

    errors = refused.json()["errors"]
    assert (refused.status_code, code(refused)) == (status, says)
    assert refused.headers["content-type"].startswith("application/json")
    assert "content-disposition" not in refused.headers
    # Of the two accounts there, each; who waited for it has no time left to read on elsewhere.
    at = [one["extensions"]["provider"] for one in errors]
    assert at.count("hosting") == 2
    assert len(at) == 2 or fault["kind"] == "hang"


def test_when_to_ask_again_is_told_as_http_tells_it(served: World) -> None:
    with failing(served, "hostup", DOWN):
        refused = exported(served, "payments", "csv")

    assert 1 <= int(refused.headers["retry-after"]) <= 90
    assert refused.json()["errors"][0]["extensions"]["retryAt"] > "2026"


def test_a_history_that_ends_too_early_is_an_error_though_its_newest_part_is_known(
    served: World,
) -> None:
    # The first page of each is known, and no further one can be read.
    newest = served.data("""{ customer(reference: "C-1002") { creditChanges(first: 5) {
      nodes { occurredAt } sources { completeFrom } } } }""")["customer"]["creditChanges"]
    with failing(served, "hostup", DOWN):
        refused = exported(served, "creditChanges", "csv")
        known = exported(
            served, "creditChanges", "ndjson", {"from": newest["nodes"][-1]["occurredAt"]}
        )

    assert (refused.status_code, code(refused)) == (503, "UPSTREAM_UNAVAILABLE")
    assert len(lines(known)) >= 5
    assert all(one["completeFrom"] for one in newest["sources"])


def test_what_is_not_asked_for_may_fail(served: World) -> None:
    with failing(served, "hostup", DOWN):
        others = exported(served, "creditChanges", "ndjson", {"providers": ["cloud", "loyalty"]})

    assert len(lines(others)) == 500


def test_what_was_read_before_is_exported_and_told_to_be_stale(served: World) -> None:
    before = exported(served, "creditChanges", "ndjson")
    served.clock.ahead += served.settings.cache.fresh_for
    with failing(served, "hostup", DOWN):
        exported(served, "creditChanges", "ndjson")
        stale = exported(served, "creditChanges", "ndjson")
    served.clock.ahead += DAY
    with failing(served, "hostup", DOWN):
        refused = exported(served, "creditChanges", "ndjson")

    assert (before.headers["x-state"], stale.headers["x-state"]) == ("FRESH", "STALE")
    assert read_at(stale) - read_at(before) < timedelta(seconds=30)
    assert lines(stale) == lines(before)
    assert refused.status_code == 503


def read_at(response: httpx.Response) -> datetime:
    return datetime.fromisoformat(response.headers["x-read-at"])


def test_a_caller_may_want_nothing_old(served: World) -> None:
    exported(served, "payments", "csv")
    served.clock.ahead += timedelta(seconds=6)
    served.sandbox.reset_calls()

    exported(served, "payments", "csv")
    unasked = served.sandbox.calls()
    path = "/customers/C-1002/payments.csv"
    newest = served.http.get(path, headers={"Cache-Control": "no-cache"})

    assert newest.status_code == 200
    assert unasked == {}
    assert served.sandbox.calls() != {}


def test_what_takes_longer_than_a_request_may_is_an_error_and_goes_on(served: World) -> None:
    served.sandbox.change_settings(latency_ms=800)
    late = exported(served, "creditChanges", "ndjson")
    served.sandbox.change_settings(latency_ms=0)

    again = exported(served, "creditChanges", "ndjson")

    assert (late.status_code, code(late)) == (504, "UPSTREAM_TIMEOUT")
    assert lines(again) == listed(served, "creditChanges")
