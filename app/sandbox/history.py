"""One stream of one account, and what control may do to it."""

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, ClassVar

from app.sandbox.people import Holder
from app.sandbox.timeline import draw, instants

CREDIT_CHANGES = "credit_changes"
PAYMENTS = "payments"

Fields = dict[str, Any]


class ControlError(Exception):
    """What was asked of the sandbox cannot be done; `status` is the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Row:
    """A row as kept: `rank` is its place among the rows, `balance` the sum up to it."""

    key: str
    rank: Fraction
    at: datetime
    fields: Fields
    balance: Decimal = Decimal(0)


@dataclass
class History:
    """Rows, oldest first; `ranks` also remembers the places of removed rows."""

    rows: list[Row] = field(default_factory=list)
    ranks: dict[str, Fraction] = field(default_factory=dict)

    def insert(self, key: str, at: datetime, fields: Fields, position: int = 0) -> Row:
        """Put a row before `position` newer ones and return it."""
        index = max(len(self.rows) - position, 0)
        row = Row(key, self._rank(index), at, fields)
        self.rows.insert(index, row)
        self.ranks[key] = row.rank
        return row

    def _rank(self, index: int) -> Fraction:
        if index == len(self.rows):
            return Fraction(max(self.ranks.values(), default=Fraction(0)) // 1 + 1)
        above = self.rows[index].rank
        below = max((rank for rank in self.ranks.values() if rank < above), default=Fraction(0))
        return (above + below) / 2

    def extend(self, rows: Iterator[tuple[str, datetime, Fields]]) -> None:
        """Append sample rows, oldest first."""
        for number, (key, at, fields) in enumerate(rows, start=1):
            self.rows.append(Row(key, Fraction(number), at, fields))
            self.ranks[key] = Fraction(number)


class Account(ABC):
    """A customer's account at one provider; its rows are made when first asked for."""

    provider: ClassVar[str]
    streams: ClassVar[tuple[str, ...]] = (CREDIT_CHANGES, PAYMENTS)

    def __init__(self, holder: Holder, seed: int, entries: int) -> None:
        self.holder = holder
        self.seed = seed
        self.entries = entries
        self._histories: dict[str, History] = {}

    def history(self, stream: str) -> History:
        """Return the rows of a stream."""
        if stream not in self.streams:
            raise ControlError(f"{self.provider} has no stream {stream!r}", 404)
        if stream not in self._histories:
            history = self._histories[stream] = History()
            choices = draw(self.seed, *self.holder.path, stream)
            times = instants(choices, self.entries)
            history.extend(self.samples(stream, choices, times))
            self.settle(stream)
        return self._histories[stream]

    @abstractmethod
    def samples(
        self, stream: str, choices: random.Random, times: Sequence[datetime]
    ) -> Iterator[tuple[str, datetime, Fields]]:
        """Yield the sample rows of a stream, oldest first."""

    @abstractmethod
    def new_key(self, stream: str, position: int) -> str:
        """Return a key for a row that is to stand before `position` newer ones."""

    @abstractmethod
    def defaults(self, stream: str, key: str, at: datetime) -> Fields:
        """Return the fields of an added row that says nothing of its own."""

    @abstractmethod
    def shown(self, stream: str, row: Row) -> Fields:
        """Return a row as the provider answers it."""

    def settle(self, stream: str) -> None:  # noqa: B027 - most providers compute nothing
        """Make what is computed from all rows right again."""

    def newest_first(self, stream: str) -> list[Row]:
        """Return the rows in the provider's order, from the newest end."""
        return self.history(stream).rows[::-1]

    def add(self, stream: str, entry: Mapping[str, Any], at: datetime, position: int) -> Fields:
        """Add a row, fields of `entry` before the defaults; return it as answered."""
        history = self.history(stream)
        if not 0 <= position <= len(history.rows):
            raise ControlError(f"position must be from 0 to {len(history.rows)}")
        key = str(entry["id"]) if "id" in entry else self.new_key(stream, position)
        if any(row.key == key for row in history.rows):
            raise ControlError(f"there already is an entry {key}", 409)
        fields = self.defaults(stream, key, at) | dict(entry)
        row = history.insert(key, at, fields, position)
        self.settle(stream)
        return self.shown(stream, row)

    def change(
        self, stream: str, entry: Mapping[str, Any], *, key: str | None, index: int | None
    ) -> Fields:
        """Replace some fields of a row; return it as answered."""
        row = self.find(stream, key, index)
        row.fields = row.fields | dict(entry)
        self.settle(stream)
        return self.shown(stream, row)

    def remove(self, stream: str, *, key: str | None, index: int | None) -> Fields:
        """Remove a row; return it as it was answered."""
        row = self.find(stream, key, index)
        gone = self.shown(stream, row)
        self.history(stream).rows.remove(row)
        self.settle(stream)
        return gone

    def find(self, stream: str, key: str | None, index: int | None) -> Row:
        """Return a row by its own id or by its index from the newest."""
        rows = self.newest_first(stream)
        if index is not None and 0 <= index < len(rows):
            return rows[index]
        found = next((row for row in rows if key is not None and row.key == key), None)
        if found is None:
            raise ControlError("there is no such entry", 404)
        return found


def exact(value: object) -> Decimal:
    """Read an amount for a sum; what control made unreadable counts as nothing."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)
