"""Whether what a gateway tells while a provider fails is all that it should tell."""

from collections.abc import Collection
from datetime import datetime

from fault_world import ENTRIES, PROVIDERS, Rows, Told

LATER = "UPSTREAM_UNAVAILABLE"


def without(rows: Rows, name: str) -> Rows:
    return [row for row in rows if row["account"]["provider"]["name"] != name]


def assert_named(told: Told, name: str, codes: Collection[str], within: float) -> None:
    """Hold an answer to having all but one provider's rows, and saying once which one's and why."""
    assert told.seconds < within
    states = dict.fromkeys(PROVIDERS, "FRESH") | {name: "UNAVAILABLE"}
    assert told.states == states, told.sources
    assert len(told.rows) == ENTRIES * (len(PROVIDERS) - 1)
    assert without(told.rows, name) == told.rows
    assert_in_order(told.rows)
    source = told.sources[name]["error"]
    assert source["code"] in codes
    assert source["message"]
    assert len(told.errors) == 1
    error = told.errors[0]
    assert error["path"] == ["customer", "creditChanges"]
    assert error["extensions"]["code"] == source["code"]
    assert error["extensions"]["provider"] == name


def assert_stale(told: Told, name: str, rows: Rows, within: float) -> None:
    """Hold an answer to all rows as they were, one provider's told to be older, and no error."""
    assert told.seconds < within
    assert not told.errors, told.errors
    assert told.states[name] == "STALE"
    assert set(told.states.values()) <= {"FRESH", "STALE"}
    assert told.rows == rows


def assert_in_order(rows: Rows) -> None:
    times = [datetime.fromisoformat(row["occurredAt"]) for row in rows]
    assert times == sorted(times, reverse=True)
