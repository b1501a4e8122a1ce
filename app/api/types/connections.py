"""The connections over histories."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import strawberry

from app.api.executor import Lasting
from app.api.histories import Answer
from app.api.types.entries import CreditChange, Payment
from app.api.types.node import PageInfo
from app.api.types.reading import read
from app.api.types.sources import HistorySource
from app.history.window import Slice
from app.mirror.timeline import Key
from app.model import entries

if TYPE_CHECKING:
    from app.api.types.accounts import Account


class Rows:
    """Rows of a list in their order, as they are shown; whoever asks for the same has the same.

    `accounts` are by id, and `cursor` writes the cursor of a place.
    """

    def __init__(
        self, shown: Slice, accounts: Mapping[str, "Account"], cursor: Callable[[Key], str]
    ) -> None:
        self._rows = shown.rows
        self.accounts = accounts
        self.cursor = cursor
        self.has_next_page = shown.has_next
        self.has_previous_page = shown.has_previous

    @cached_property
    def changes(self) -> Lasting["CreditChange"]:
        """The rows as credit changes."""
        accounts = self.accounts
        rows = cast("Sequence[tuple[Key, entries.CreditChange]]", self._rows)
        return Lasting([CreditChange(entry=entry, account=accounts[key[1]]) for key, entry in rows])

    @cached_property
    def payments(self) -> Lasting["Payment"]:
        """The rows as payments."""
        accounts = self.accounts
        rows = cast("Sequence[tuple[Key, entries.Payment]]", self._rows)
        return Lasting([Payment(entry=entry, account=accounts[key[1]]) for key, entry in rows])

    @cached_property
    def change_edges(self) -> Lasting["CreditChangeEdge"]:
        """The rows as credit changes with their cursors, which are written where asked for."""
        return Lasting(
            [
                CreditChangeEdge(rows=self, key=row.key, node=change)
                for row, change in zip(self._rows, self.changes, strict=True)
            ]
        )

    @cached_property
    def payment_edges(self) -> Lasting["PaymentEdge"]:
        """The rows as payments with their cursors, as above."""
        return Lasting(
            [
                PaymentEdge(rows=self, key=row.key, node=payment)
                for row, payment in zip(self._rows, self.payments, strict=True)
            ]
        )

    # What a page's `PageInfo` is read from, too.
    @cached_property
    def start_cursor(self) -> str | None:
        return self.cursor(self._rows[0].key) if self._rows else None

    @cached_property
    def end_cursor(self) -> str | None:
        return self.cursor(self._rows[-1].key) if self._rows else None


@dataclass
class Listed:
    """A list's rows, and what answered."""

    answer: Answer
    rows: Rows

    def sources(self) -> list[HistorySource]:
        """Return what each account contributed."""
        return [
            HistorySource(source=source, account=self.rows.accounts[source.account.id])
            for source in self.answer.sources
        ]


@strawberry.type(description="A credit change, and its place in the list.")
class CreditChangeEdge:
    rows: strawberry.Private[Rows]
    key: strawberry.Private[Key]
    cursor: str = read(lambda self: self.rows.cursor(self.key))
    node: CreditChange


@strawberry.type(description="One page of credit changes, and how far to trust it.")
class CreditChangeConnection:
    listed: strawberry.Private[Listed]
    edges: list[CreditChangeEdge] = read("listed.rows.change_edges")
    page_info: PageInfo = read("listed.rows")
    sources: list[HistorySource] = read(
        lambda self: self.listed.sources(),
        "One for each account asked: how fresh and how complete its part is.",
    )
    nodes: list[CreditChange] = read(
        "listed.rows.changes",
        "The page's credit changes in their order, without cursors.",
    )

    @strawberry.field(description="Null until every source is known to its very beginning.")
    def total_count(self) -> int | None:
        return self.listed.answer.total


@strawberry.type(description="A payment, and its place in the list.")
class PaymentEdge:
    rows: strawberry.Private[Rows]
    key: strawberry.Private[Key]
    cursor: str = read(lambda self: self.rows.cursor(self.key))
    node: Payment


@strawberry.type(description="One page of payments, and how far to trust it.")
class PaymentConnection:
    listed: strawberry.Private[Listed]
    edges: list[PaymentEdge] = read("listed.rows.payment_edges")
    page_info: PageInfo = read("listed.rows")
    sources: list[HistorySource] = read(
        lambda self: self.listed.sources(),
        "One for each account asked: how fresh and how complete its part is.",
    )
    nodes: list[Payment] = read(
        "listed.rows.payments",
        "The page's payments in their order, without cursors.",
    )

    @strawberry.field(description="Null until every source is known to its very beginning.")
    def total_count(self) -> int | None:
        return self.listed.answer.total
