"""Walks over the connections of a gateway, and the merge they should equal."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from world import World

from app.api import ids

Row = dict[str, Any]
Page = dict[str, Any]

NODE = {
    "creditChanges": (
        "id occurredAt zoneAssumed kind reason description amount { amount unit unitKind } "
        "account { id provider { name } } "
        "details { ... on CareCloudCreditChange { storeId partnerId note } }"
    ),
    "payments": (
        "id createdAt zoneAssumed product productKind status quantity reference "
        "amount { amount unit unitKind } account { id provider { name } }"
    ),
}
FILTER = {"creditChanges": "CreditChangeFilter", "payments": "PaymentFilter"}
SOURCES = "sources { state complete completeFrom readAt account { id } error { code message } }"


def page_query(field: str, owner: str) -> str:
    """Return a query for a page of `field`; `owner` is a type, Customer or Account."""
    return f"""query($owner: ID!, $first: Int, $after: String, $last: Int, $before: String,
          $order: HistoryOrder! = NEWEST_FIRST, $filter: {FILTER[field]}) {{
      owner: node(id: $owner) {{ ... on {owner} {{
        list: {field}(first: $first, after: $after, last: $last, before: $before,
                      orderBy: $order, filter: $filter) {{
          edges {{ cursor node {{ {NODE[field]} }} }}
          pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
          totalCount
          {SOURCES}
        }} }} }} }}"""


class List:
    """One list of a gateway: of a customer or of one account."""

    def __init__(self, world: World, field: str, owner: str, kind: str = "Customer") -> None:
        self._world = world
        self._query = page_query(field, kind)
        self.field = field
        self.owner = owner

    def page(self, **arguments: Any) -> Page:  # noqa: ANN401 - whatever a connection takes
        data = self._world.data(self._query, {"owner": self.owner, **arguments})
        found: Page = data["owner"]["list"]
        return found

    def forwards(self, size: int, **arguments: Any) -> Iterator[Page]:  # noqa: ANN401
        """Yield pages from the start to where `hasNextPage` says that they end."""
        page = self.page(first=size, **arguments)
        yield page
        while page["pageInfo"]["hasNextPage"]:
            after = page["pageInfo"]["endCursor"]
            page = self.page(first=size, after=after, **arguments)
            yield page

    def backwards(self, size: int, **arguments: Any) -> Iterator[Page]:  # noqa: ANN401
        """Yield pages from the end to where `hasPreviousPage` says that they start."""
        page = self.page(last=size, **arguments)
        yield page
        while page["pageInfo"]["hasPreviousPage"]:
            before = page["pageInfo"]["startCursor"]
            page = self.page(last=size, before=before, **arguments)
            yield page

    def rows(self, **arguments: Any) -> list[Row]:  # noqa: ANN401
        """Return the rows of all pages, forwards."""
        return [row for page in self.forwards(100, **arguments) for row in rows_of(page)]


def rows_of(page: Page) -> list[Row]:
    return [edge["node"] for edge in page["edges"]]


def customer_list(world: World, field: str, reference: str = "C-1002") -> List:
    query = "query($r: String!) { customer(reference: $r) { id } }"
    return List(world, field, world.data(query, {"r": reference})["customer"]["id"])


def account_lists(world: World, field: str, reference: str = "C-1002") -> list[List]:
    query = "query($r: String!) { customer(reference: $r) { accounts { id } } }"
    accounts = world.data(query, {"r": reference})["customer"]["accounts"]
    return [List(world, field, account["id"], "Account") for account in accounts]


def merged(world: World, field: str, reference: str = "C-1002") -> list[Row]:
    """Return the rows of all accounts' own lists, newest first, merged by brute force.

    The order is time, then account, then the entry's own order.
    """
    rows: list[Row] = []
    for one in account_lists(world, field, reference):
        rows += one.rows(order="OLDEST_FIRST")
    return sorted(rows, key=lambda row: (at(row), account_of(row)))[::-1]


def at(row: Row) -> datetime:
    return datetime.fromisoformat(row.get("occurredAt") or row["createdAt"])


def account_of(row: Row) -> str:
    """Return the account's own id, by which entries of one instant are ordered."""
    named = ids.read(row["account"]["id"])
    assert named is not None
    return named.owner


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait for what a background refresh brings."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def states(page: Page) -> list[str]:
    return [source["state"] for source in page["sources"]]
