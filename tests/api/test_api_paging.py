"""Pages through GraphQL are the brute-force merge of the accounts' own lists."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from lists import List, Row, account_lists, customer_list, merged, rows_of, states, until
from world import World, gateway, world

ENTRIES = 26
FIELDS = ["creditChanges", "payments"]
ORDERS = ["NEWEST_FIRST", "OLDEST_FIRST"]
Expected = Callable[[str, str], list[Row]]
TOTAL = {"creditChanges": 4 * ENTRIES, "payments": 3 * ENTRIES}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("paging"), entries=ENTRIES) as one:
        yield one


@pytest.fixture
def cold(served: World) -> Iterator[World]:
    """Serve the same customers by a gateway that has read nothing yet."""
    with gateway(served.settings, served.sandbox, served.folder) as one:
        yield one


@pytest.fixture(scope="module")
def expected(served: World) -> Expected:
    """Return the rows of a list in an order, merged by brute force."""
    newest_first = {field: merged(served, field) for field in FIELDS}
    assert {field: len(rows) for field, rows in newest_first.items()} == TOTAL
    return lambda field, order: newest_first[field][:: 1 if order == "NEWEST_FIRST" else -1]


@pytest.mark.parametrize("size", [1, 7, 20, 100])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("field", FIELDS)
def test_pages_in_both_directions_are_the_merge_and_tell_truly_what_is_around_them(
    served: World, expected: Expected, field: str, order: str, size: int
) -> None:
    whole = expected(field, order)
    asked = customer_list(served, field)

    shown = 0
    for page in asked.forwards(size, order=order):
        assert rows_of(page) == whole[shown : shown + size]
        assert page["pageInfo"]["hasPreviousPage"] == (shown > 0)
        shown += len(page["edges"])
        assert page["pageInfo"]["hasNextPage"] == (shown < len(whole))
    assert shown == len(whole)

    left = len(whole)
    for page in asked.backwards(size, order=order):
        assert rows_of(page) == whole[max(left - size, 0) : left]
        assert page["pageInfo"]["hasNextPage"] == (left < len(whole))
        left -= len(page["edges"])
        assert page["pageInfo"]["hasPreviousPage"] == (left > 0)
    assert left == 0


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("field", FIELDS)
def test_a_gateway_that_has_read_nothing_shows_the_same_pages(
    expected: Expected, cold: World, field: str, order: str, direction: str
) -> None:
    whole = expected(field, order)
    asked = customer_list(cold, field)

    if direction == "forwards":
        rows = [row for page in asked.forwards(20, order=order) for row in rows_of(page)]
    else:
        pages = list(asked.backwards(20, order=order))
        rows = [row for page in reversed(pages) for row in rows_of(page)]

    assert rows == whole


@pytest.mark.parametrize("order", ORDERS)
def test_a_cursor_goes_on_where_it_was_after_a_restart_with_an_empty_cache(
    served: World, expected: Expected, cold: World, order: str
) -> None:
    whole = expected("creditChanges", order)
    first = customer_list(served, "creditChanges").page(first=50, order=order)
    cursor = first["pageInfo"]["endCursor"]

    after = customer_list(cold, "creditChanges").page(first=50, after=cursor, order=order)
    before = customer_list(cold, "creditChanges").page(last=20, before=cursor, order=order)

    assert rows_of(after) == whole[50:100]
    assert rows_of(before) == whole[29:49]
    assert after["edges"][0]["cursor"] != cursor


def test_cursors_around_a_window_bound_it_on_both_sides(served: World, expected: Expected) -> None:
    whole = expected("creditChanges", "NEWEST_FIRST")
    asked = customer_list(served, "creditChanges")
    edges = asked.page(first=30)["edges"]
    bounds = {"after": edges[4]["cursor"], "before": edges[20]["cursor"]}

    first = asked.page(first=10, **bounds)
    last = asked.page(last=10, **bounds)
    all_of_it = asked.page(first=100, **bounds)

    assert rows_of(first) == whole[5:15]
    assert rows_of(last) == whole[10:20]
    assert rows_of(all_of_it) == whole[5:20]
    for page in (first, last, all_of_it):
        assert page["pageInfo"]["hasPreviousPage"]
        assert page["pageInfo"]["hasNextPage"]


def test_entries_that_arrive_at_the_head_repeat_nothing_and_hide_nothing(cold: World) -> None:
    asked = customer_list(cold, "creditChanges", "C-1001")
    whole = asked.rows()
    first = asked.page(first=7)
    added = [
        cold.sandbox.add_entry(provider, "credit_changes", "C-1001")
        for provider in ("hostup", "cloudreve", "carecloud", "hostup")
    ]

    cold.clock.ahead += timedelta(seconds=61)
    until(lambda: set(states(asked.page(first=1))) == {"FRESH"})
    rest: list[dict[str, Any]] = []
    page = first
    while page["pageInfo"]["hasNextPage"]:
        page = asked.page(first=7, after=page["pageInfo"]["endCursor"])
        rest += rows_of(page)
    head = asked.page(last=100, before=first["pageInfo"]["startCursor"])

    assert rows_of(first) + rest == whole
    assert len(head["edges"]) == len(added)
    assert asked.rows() == rows_of(head) + whole


@pytest.mark.parametrize("field", FIELDS)
def test_no_rows_asked_for_are_no_rows_and_still_the_truth(served: World, field: str) -> None:
    asked = customer_list(served, field)
    edges = asked.page(first=100)["edges"]
    middle = edges[10]["cursor"]

    at_the_start = asked.page(first=0)
    at_the_end = asked.page(last=0)
    within = asked.page(first=0, after=middle)
    before_the_first = asked.page(last=0, before=edges[0]["cursor"])

    assert [page["edges"] for page in (at_the_start, at_the_end, within)] == [[], [], []]
    assert around(at_the_start) == (False, True)
    assert around(at_the_end) == (True, False)
    assert around(within) == (True, True)
    assert around(before_the_first) == (False, True)
    assert at_the_start["pageInfo"]["startCursor"] is None


def around(page: dict[str, Any]) -> tuple[bool, bool]:
    return page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]


def test_without_a_size_there_are_fifty_rows(served: World) -> None:
    page = customer_list(served, "creditChanges").page()

    assert len(page["edges"]) == 50


def test_ids_are_permanent_and_different(served: World, cold: World) -> None:
    here = [row["id"] for row in customer_list(served, "creditChanges").rows()]
    there = [row["id"] for row in customer_list(cold, "creditChanges").rows()]

    assert here == there
    assert len(set(here)) == TOTAL["creditChanges"]


@pytest.mark.parametrize("field", FIELDS)
def test_the_total_is_unknown_until_every_source_is_read_to_its_beginning(
    cold: World, field: str
) -> None:
    asked = customer_list(cold, field)

    at_first = asked.page(first=1)["totalCount"]
    whole = asked.rows()
    in_the_end = asked.page(first=1)
    chosen = asked.page(first=1, filter={"minAmount": "100"})["totalCount"]

    assert at_first is None
    assert in_the_end["totalCount"] == len(whole) == TOTAL[field]
    assert chosen == sum(float(row["amount"]["amount"]) >= 100 for row in whole)
    supported = [one for one in in_the_end["sources"] if one["state"] != "UNSUPPORTED"]
    assert all(source["complete"] for source in supported)


def test_an_account_has_its_own_list_of_its_own_entries(served: World, expected: Expected) -> None:
    whole = expected("creditChanges", "NEWEST_FIRST")

    for asked in account_lists(served, "creditChanges"):
        own = [row for row in whole if row["account"]["id"] == asked.owner]
        pages = list(asked.forwards(7))
        assert [row for page in pages for row in rows_of(page)] == own
        assert pages[0]["totalCount"] == ENTRIES
        assert [source["account"]["id"] for source in pages[0]["sources"]] == [asked.owner]


def test_nodes_are_the_nodes_of_the_edges(served: World) -> None:
    query = """{ customer(reference: "C-1002") {
      creditChanges(first: 5) { nodes { id } edges { node { id } } }
      payments(first: 5) { nodes { id } edges { node { id } } }
    } }"""

    customer = served.data(query)["customer"]

    for page in customer.values():
        assert page["nodes"] == rows_of(page)
        assert len(page["nodes"]) == 5


def test_the_customers_list_and_the_accounts_list_do_not_take_each_others_cursors(
    served: World,
) -> None:
    of_customer = customer_list(served, "creditChanges").page(first=1)["pageInfo"]["endCursor"]
    account = account_lists(served, "creditChanges")[0]

    answer = ask_page(served, account, after=of_customer)

    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INVALID_CURSOR"]


def ask_page(served: World, asked: List, **arguments: object) -> dict[str, Any]:
    return served.ask(asked._query, {"owner": asked.owner, **arguments})
