"""Every field of both filters, against the same condition in Python."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from lists import List, Row, at, customer_list, merged
from world import World, world

FROM = "2025-06-01T00:00:00Z"
TO = "2026-06-01T02:00:00+02:00"
Condition = Callable[[Row], bool]
Filter = dict[str, Any]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("filters"), entries=60) as one:
        yield one


@pytest.fixture(scope="module")
def whole(served: World) -> dict[str, list[Row]]:
    """Return all rows of each list, merged by brute force."""
    return {field: merged(served, field) for field in ("creditChanges", "payments")}


def amount(row: Row) -> Decimal:
    return Decimal(row["amount"]["amount"])


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def has(part: str, *names: str) -> Condition:
    return lambda row: any(part.casefold() in (row[name] or "").casefold() for name in names)


def change_has(part: str) -> Condition:
    in_fields = has(part, "reason", "description")
    return lambda row: in_fields(row) or part.casefold() in (detail(row, "note") or "").casefold()


def detail(row: Row, name: str) -> str | None:
    found: str | None = row["details"].get(name)
    return found


COMMON: list[tuple[Filter, Condition]] = [
    ({"from": FROM}, lambda row: at(row) >= instant(FROM)),
    ({"to": TO}, lambda row: at(row) < instant(TO)),
    ({"from": FROM, "to": TO}, lambda row: instant(FROM) <= at(row) < instant(TO)),
    ({"from": FROM, "to": FROM}, lambda _: False),
    ({"providers": ["hosting"]}, lambda row: row["account"]["provider"]["name"] == "hosting"),
    (
        {"providers": ["cloud", "loyalty"]},
        lambda row: row["account"]["provider"]["name"] in {"cloud", "loyalty"},
    ),
    ({"providers": []}, lambda _: False),
    ({"accounts": []}, lambda _: False),
    ({"unit": "points"}, lambda row: row["amount"]["unit"] == "points"),
    ({"unit": "SEK"}, lambda row: row["amount"]["unit"] == "SEK"),
    ({"unit": "none such"}, lambda _: False),
    ({"minAmount": "0.5"}, lambda row: amount(row) >= Decimal("0.5")),
    ({"maxAmount": "50"}, lambda row: amount(row) <= 50),
    ({"minAmount": "-20", "maxAmount": "20"}, lambda row: -20 <= amount(row) <= 20),
    ({}, lambda _: True),
]
CHANGES: list[tuple[Filter, Condition]] = [
    *COMMON,
    ({"kinds": ["SPEND"]}, lambda row: row["kind"] == "SPEND"),
    ({"kinds": ["TOP_UP", "OTHER"]}, lambda row: row["kind"] in {"TOP_UP", "OTHER"}),
    ({"kinds": []}, lambda _: False),
    ({"direction": "IN"}, lambda row: amount(row) > 0),
    ({"direction": "OUT"}, lambda row: amount(row) < 0),
    ({"text": "PAY"}, change_has("pay")),
    ({"text": "pay"}, change_has("pay")),
    ({"text": "PŘÍ"}, change_has("pří")),
    ({"text": "no text has this"}, lambda _: False),
    (
        {"direction": "OUT", "from": FROM, "providers": ["hosting"], "maxAmount": "-1"},
        lambda row: (
            amount(row) <= -1
            and at(row) >= instant(FROM)
            and row["account"]["provider"]["name"] == "hosting"
        ),
    ),
]
PAYMENTS: list[tuple[Filter, Condition]] = [
    *COMMON,
    ({"statuses": ["PAID"]}, lambda row: row["status"] == "PAID"),
    (
        {"statuses": ["PENDING", "CANCELED"]},
        lambda row: row["status"] in {"PENDING", "CANCELED"},
    ),
    ({"statuses": []}, lambda _: False),
    ({"text": "POINTS"}, has("points", "product", "reference")),
    ({"text": "pro"}, has("pro", "product", "reference")),
    (
        {"statuses": ["PAID", "FULFILLED"], "to": TO, "minAmount": "1"},
        lambda row: (
            row["status"] in {"PAID", "FULFILLED"} and at(row) < instant(TO) and amount(row) >= 1
        ),
    ),
]


@pytest.mark.parametrize(("chosen", "keeps"), CHANGES, ids=[str(one[0]) for one in CHANGES])
def test_credit_changes_are_filtered_as_python_filters_them(
    served: World, whole: dict[str, list[Row]], chosen: Filter, keeps: Condition
) -> None:
    rows = [row for row in whole["creditChanges"] if keeps(row)]
    assert_filtered(customer_list(served, "creditChanges"), chosen, rows)


@pytest.mark.parametrize(("chosen", "keeps"), PAYMENTS, ids=[str(one[0]) for one in PAYMENTS])
def test_payments_are_filtered_as_python_filters_them(
    served: World, whole: dict[str, list[Row]], chosen: Filter, keeps: Condition
) -> None:
    rows = [row for row in whole["payments"] if keeps(row)]
    assert_filtered(customer_list(served, "payments"), chosen, rows)


def assert_filtered(asked: List, chosen: Filter, expected: list[Row]) -> None:
    newest_first = asked.rows(filter=chosen)
    oldest_first = asked.rows(filter=chosen, order="OLDEST_FIRST")
    page = asked.page(first=3, filter=chosen)

    assert newest_first == expected
    assert oldest_first == expected[::-1]
    assert page["pageInfo"]["hasNextPage"] == (len(expected) > 3)
    assert page["totalCount"] == len(expected)


def test_the_conditions_of_this_file_choose_some_rows_and_not_all(
    whole: dict[str, list[Row]],
) -> None:
    for field, conditions in (("creditChanges", CHANGES), ("payments", PAYMENTS)):
        rows = whole[field]
        counts = [sum(map(keeps, rows)) for _, keeps in conditions]
        assert sum(0 < count < len(rows) for count in counts) >= 10


@pytest.mark.parametrize(("name", "key"), [("storeId", "storeId"), ("partnerId", "partnerId")])
def test_stores_and_partners_choose_entries_of_carecloud(
    served: World, whole: dict[str, list[Row]], name: str, key: str
) -> None:
    changes = whole["creditChanges"]
    some = next(value for row in changes if (value := detail(row, key)))

    rows = customer_list(served, "creditChanges").rows(filter={name: some})

    assert rows == [row for row in changes if detail(row, key) == some]
    assert 0 < len(rows) < len(changes)


def test_sources_list_only_the_accounts_that_were_asked(served: World) -> None:
    asked = customer_list(served, "creditChanges")
    accounts = [source["account"]["id"] for source in asked.page(first=1)["sources"]]
    chosen = accounts[1:3]

    page = asked.page(first=100, filter={"accounts": chosen})
    nobody = asked.page(first=100, filter={"accounts": []})
    of_one_provider = asked.page(first=1, filter={"providers": ["hosting"]})

    assert len(accounts) == 4
    assert [source["account"]["id"] for source in page["sources"]] == chosen
    assert {edge["node"]["account"]["id"] for edge in page["edges"]} == set(chosen)
    assert nobody["sources"] == []
    assert nobody["totalCount"] == 0
    assert len(of_one_provider["sources"]) == 2


def test_filters_that_mean_the_same_share_their_cursors(served: World) -> None:
    asked = customer_list(served, "creditChanges")
    cursor = asked.page(first=1, filter={"minAmount": "1.0", "kinds": ["SPEND", "TOP_UP"]})
    end = cursor["pageInfo"]["endCursor"]

    page = asked.page(first=1, after=end, filter={"minAmount": "1", "kinds": ["TOP_UP", "SPEND"]})

    assert page["pageInfo"]["hasPreviousPage"]


def test_null_in_a_filter_is_the_same_as_leaving_it_out(served: World) -> None:
    asked = customer_list(served, "payments")

    page = asked.page(first=5, filter={"statuses": None, "unit": None, "from": None})

    assert page["edges"]
    assert [e["node"] for e in page["edges"]] == [e["node"] for e in asked.page(first=5)["edges"]]
