"""An export has the rows of the list in GraphQL, in its order, with the same strings."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from exports_world import exported, lines, listed
from graphql_rows import NODES, cells, filter_fields, flat
from world import World, world

from app.exports.form import Format

HISTORIES = list(NODES)
ENTRIES = 250


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = "[limits]\ncost = 1000000"
    with world(tmp_path_factory.mktemp("exports"), entries=ENTRIES, more=more) as one:
        yield one


@pytest.mark.parametrize("order", ["NEWEST_FIRST", "OLDEST_FIRST"])
@pytest.mark.parametrize("history", HISTORIES)
def test_json_lines_are_the_nodes_of_the_list(served: World, history: str, order: str) -> None:
    expected = listed(served, history, order=order)
    rows = lines(exported(served, history, "ndjson", {"orderBy": order}))

    assert len(rows) == len(expected) == ENTRIES * (4 if history == "creditChanges" else 3)
    assert rows == expected


@pytest.mark.parametrize("history", HISTORIES)
def test_a_csv_has_a_header_and_a_cell_for_each_of_their_fields(
    served: World, history: str
) -> None:
    expected = [dict(flat(node)) for node in listed(served, history)]
    text = exported(served, history, "csv").text

    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert len(set(header)) == len(header)
    assert {name for row in expected for name in row} <= set(header)
    assert {len(row) for row in rows} == {len(header)}
    assert text.count("\r\n") == len(rows) + 1
    assert cells(text) == expected


VALUES: dict[str, Any] = {
    "from": "2026-10-01T00:00:00+02:00",
    "to": "2026-10-20T12:00:00.5Z",
    "kinds": ["SPEND", "TOP_UP"],
    "statuses": ["PENDING", "FULFILLED"],
    "direction": "OUT",
    "providers": ["hosting", "loyalty"],
    "unit": "SEK",
    "minAmount": "-20.5",
    "maxAmount": "12",
    "text": "CREDIT",
    "storeId": "86e05affc7a7abefcd513ab400",
    "partnerId": "nobody",
}
FIELDS = [(history, name) for history in HISTORIES for name in filter_fields(history)]


@pytest.mark.parametrize(("history", "name"), FIELDS)
def test_each_field_of_the_filter_is_a_parameter_that_means_the_same(
    served: World, history: str, name: str
) -> None:
    everything = listed(served, history)
    value = VALUES.get(name) or [everything[0]["account"]["id"], everything[5]["account"]["id"]]
    where = {name: value}

    rows = lines(exported(served, history, "ndjson", where))

    assert rows == listed(served, history, where)
    assert rows != everything


def test_all_parameters_hold_together(served: World) -> None:
    where = {name: VALUES[name] for name in ("from", "to", "direction", "providers", "text")}

    rows = lines(exported(served, "creditChanges", "ndjson", where))

    assert rows == listed(served, "creditChanges", where)
    assert 0 < len(rows) < ENTRIES


def test_the_first_instant_is_in_and_the_last_one_is_not(served: World) -> None:
    everything = listed(served, "creditChanges")
    newest, older = everything[0]["occurredAt"], everything[-1]["occurredAt"]

    rows = lines(exported(served, "creditChanges", "ndjson", {"from": older, "to": newest}))

    assert rows == [row for row in everything if row["occurredAt"] != newest]
    assert rows[-1]["occurredAt"] == older


@pytest.mark.parametrize(("form", "left"), [(Format.CSV, 1), (Format.NDJSON, 0)])
def test_where_nothing_is_found_there_are_no_rows(served: World, form: Format, left: int) -> None:
    empty = exported(served, "payments", form, {"unit": "none"})

    assert empty.status_code == 200
    assert len(empty.text.splitlines()) == left
