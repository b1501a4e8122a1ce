"""The connections over histories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import strawberry

from app.api.histories import Answer
from app.api.types.entries import CreditChange, Payment
from app.api.types.node import PageInfo
from app.api.types.reading import read
from app.api.types.sources import HistorySource
from app.history.window import Row
from app.mirror.timeline import Key
from app.model import entries

if TYPE_CHECKING:
    from app.api.types.accounts import Account


@dataclass
class Listed:
    """Rows of a list in their order: what answered, its accounts by id, and who signs cursors."""

    answer: Answer
    accounts: Mapping[str, "Account"]
    cursor: Callable[[Key], str]

    @property
    def rows(self) -> Sequence[Row]:
        return self.answer.slice.rows

    def changes(self) -> list[CreditChange]:
        """Return the rows as credit changes."""
        accounts = self.accounts
        rows = cast("Sequence[tuple[Key, entries.CreditChange]]", self.rows)
        return [CreditChange(entry=entry, account=accounts[key[1]]) for key, entry in rows]

    def payments(self) -> list[Payment]:
        """Return the rows as payments."""
        accounts = self.accounts
        rows = cast("Sequence[tuple[Key, entries.Payment]]", self.rows)
        return [Payment(entry=entry, account=accounts[key[1]]) for key, entry in rows]

    def page_info(self) -> PageInfo:
        """Return where the page is in its list: what has the attributes of that."""
        return cast("PageInfo", _PageInfo(self))

    def sources(self) -> list[HistorySource]:
        """Return what each account contributed."""
        return [
            HistorySource(source=source, account=self.accounts[source.account.id])
            for source in self.answer.sources
        ]


class _PageInfo:
    """Where a page is in its list; a cursor is written where it is asked for."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed
        self.has_next_page = listed.answer.slice.has_next
        self.has_previous_page = listed.answer.slice.has_previous

    @cached_property
    def start_cursor(self) -> str | None:
        rows = self._listed.rows
        return self._listed.cursor(rows[0].key) if rows else None

    @cached_property
    def end_cursor(self) -> str | None:
        rows = self._listed.rows
        return self._listed.cursor(rows[-1].key) if rows else None


@strawberry.type(description="A credit change, and its place in the list.")
class CreditChangeEdge:
    listed: strawberry.Private[Listed]
    key: strawberry.Private[Key]
    cursor: str = read(lambda self: self.listed.cursor(self.key))
    node: CreditChange


@strawberry.type(description="One page of credit changes, and how far to trust it.")
class CreditChangeConnection:
    listed: strawberry.Private[Listed]
    edges: list[CreditChangeEdge] = read(
        lambda self: [
            CreditChangeEdge(listed=self.listed, key=row.key, node=change)
            for row, change in zip(self.listed.rows, self.listed.changes(), strict=True)
        ]
    )
    page_info: PageInfo = read(lambda self: self.listed.page_info())
    sources: list[HistorySource] = read(
        lambda self: self.listed.sources(),
        "One for each account asked: how fresh and how complete its part is.",
    )
    nodes: list[CreditChange] = read(
        lambda self: self.listed.changes(),
        "The page's credit changes in their order, without cursors.",
    )

    @strawberry.field(description="Null until every source is known to its very beginning.")
    def total_count(self) -> int | None:
        return self.listed.answer.total


@strawberry.type(description="A payment, and its place in the list.")
class PaymentEdge:
    listed: strawberry.Private[Listed]
    key: strawberry.Private[Key]
    cursor: str = read(lambda self: self.listed.cursor(self.key))
    node: Payment


@strawberry.type(description="One page of payments, and how far to trust it.")
class PaymentConnection:
    listed: strawberry.Private[Listed]
    edges: list[PaymentEdge] = read(
        lambda self: [
            PaymentEdge(listed=self.listed, key=row.key, node=payment)
            for row, payment in zip(self.listed.rows, self.listed.payments(), strict=True)
        ]
    )
    page_info: PageInfo = read(lambda self: self.listed.page_info())
    sources: list[HistorySource] = read(
        lambda self: self.listed.sources(),
        "One for each account asked: how fresh and how complete its part is.",
    )
    nodes: list[Payment] = read(
        lambda self: self.listed.payments(),
        "The page's payments in their order, without cursors.",
    )

    @strawberry.field(description="Null until every source is known to its very beginning.")
    def total_count(self) -> int | None:
        return self.listed.answer.total
