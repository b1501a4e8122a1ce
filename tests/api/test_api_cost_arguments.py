"""What arguments and variables mean for the cost, checked or not."""

from typing import Any

import pytest
from asking_price import CUSTOMER, changes, price, summary

from app.api import ids, paging
from app.api.costs import table
from app.api.costs.costs import MOST
from app.api.costs.table import WHOLE


def test_a_page_is_as_large_as_it_is_when_its_size_is_not_said() -> None:
    assert paging.checked(None, None, None, None, limit=100).size == table._DEFAULT_ROWS
    assert price(changes()) == price(changes("(first: 50)"))
    assert price(changes("(first: null)")) == price(changes("(first: 50)"))


@pytest.mark.parametrize("too_large", ["101", "1000000", "1000000000000000000", "9" * 900])
def test_a_page_above_the_limit_counts_as_the_limit_as_it_is_refused_by_another_name(
    too_large: str,
) -> None:
    assert price(changes(f"(first: {too_large})")) == price(changes("(first: 100)"))
    assert price(changes("(first: -5)")) == price(changes("(first: 0)"))


QUERY = "query($n: Int = 20, $after: String) {{ {} }}"
BY_VARIABLES = QUERY.format(
    f"{CUSTOMER} {{ creditChanges(first: $n, after: $after) {{ nodes {{ id }} }} }}"
)


def test_variables_and_their_defaults_count_as_if_written_out() -> None:
    assert price(BY_VARIABLES) == price(changes("(first: 20)"))
    assert price(BY_VARIABLES, {"n": 7}) == price(changes("(first: 7)"))
    assert price(BY_VARIABLES, {"n": None}) == price(changes("(first: 50)"))
    assert price(BY_VARIABLES, {"after": None}) == price(changes("(first: 20)"))
    assert price(BY_VARIABLES, {"after": "x"}) == price(changes('(first: 20, after: "x")'))


@pytest.mark.parametrize("wrong", ["7", True, 7.0, [7], {"a": 1}, 10**18, -(10**18)], ids=repr)
def test_a_variable_of_any_kind_is_taken(wrong: object) -> None:
    cost = price(BY_VARIABLES, {"n": wrong, "after": wrong})

    least = price(changes('(first: 0, after: "x")'))
    assert least <= cost <= price(changes('(first: 100, after: "x")'))


ANY: list[Any] = [
    *(None, True, 5, -1, 1.5, "", "x", "\ud800", "2026-01-01", "2026-01-01T00:00:00Z", 10**18),
    *([], [[]], [None], ["x", 3, {}], {}, {"from": []}, {"text": {"a": [1]}}),
]


@pytest.mark.parametrize("given", ANY, ids=repr)
def test_nothing_that_is_sent_makes_it_fail(given: object) -> None:
    query = """query($x: X) { node(id: $x) { id } nodes(ids: $x) { id }
      more: nodes(ids: [$x, 3, [$x]]) { id } customer(reference: $x) {
        creditChanges(first: $x, last: $x, after: $x, filter: $x, orderBy: $x) { nodes { id } }
        payments(filter: {text: $x, unknown: [{a: $x}]}) { nodes { id } }
        creditSummary(from: $x, to: $x, bucket: $x) { units { series { start } } }
        ... @include(if: $x) { displayName } } }"""

    assert 1 <= price(query, {"x": given}) < MOST


def test_going_back_in_a_history_counts_as_reading_it_whole() -> None:
    newest = price(changes("(first: 10)"))

    for further in ('after: "x"', 'before: "x"', "orderBy: OLDEST_FIRST", 'filter: {text: "x"}'):
        assert price(changes(f"(first: 10, {further})")) == newest + 3 * (WHOLE - 1) * 10
    assert price(changes("(last: 10)")) == newest + 3 * (WHOLE - 1) * 10
    for nothing in ("after: null", "orderBy: NEWEST_FIRST", "filter: {}", "filter: {text: null}"):
        assert price(changes(f"(first: 10, {nothing})")) == newest


LONGEST = '(bucket: DAY, from: "0001-01-01T00:00:00Z", to: "9999-01-01T00:00:00Z")'


def test_a_series_is_as_long_as_its_range_has_buckets() -> None:
    def points(arguments: str) -> int:
        without = f"{{ {CUSTOMER} {{ creditSummary {{ units {{ unit }} }} }} }}"
        rows = price(summary(arguments)) - price(without)
        return rows // 3 * 4

    whole = '(from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", bucket: {})'
    counted = {name: points(whole.format(name)) for name in ("DAY", "WEEK", "MONTH", "YEAR")}
    least = {"DAY": 365, "WEEK": 53, "MONTH": 12, "YEAR": 1}
    assert all(least[name] <= count <= least[name] * 1.2 + 6 for name, count in counted.items())
    # Three years where the range is open; a range that cannot be read is the longest series.
    assert points("") == 44 >= 1096 // 28 + 2
    assert points('(bucket: YEAR, from: "1990-01-01T00:00:00Z")') == 8
    assert points('(bucket: DAY, from: "x", to: "y")') == 10_000
    assert points(LONGEST) == 10_000


def entry_id(account: str, entry: str) -> str:
    return ids.written(ids.NodeId(ids.NodeKind.CREDIT_CHANGE, account, entry))


def test_entries_by_id_cost_each_history_once_that_they_are_searched_for_in() -> None:
    one_history = [entry_id("a", f"{number}") for number in range(50)]
    fifty_histories = [entry_id(f"{number}", "e") for number in range(50)]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert price(query, {"ids": one_history}) == 1 + 10 * WHOLE + 50
    assert price(query, {"ids": fifty_histories}) == 1 + 50 * 10 * WHOLE + 50
    customer = ids.written(ids.NodeId(ids.NodeKind.CUSTOMER, "c"))
    assert price(query, {"ids": [customer] * 50}) == 1 + 50
    assert price("query($id: ID!) { node(id: $id) { id } }", {"id": customer}) == 1
