"""Which entries of a history are asked for."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Self

from app.mirror.timeline import microseconds
from app.model.accounts import Account
from app.model.entries import CreditChange, CreditChangeKind, Entry, Payment, PaymentStatus
from app.model.errors import BadUserInput
from app.model.money import plain

Keep = Callable[[Entry], bool]


class Direction(StrEnum):
    IN = "IN"
    OUT = "OUT"


@dataclass(frozen=True, kw_only=True)
class HistoryFilter:
    """Conditions that all have to hold; None holds for every entry, an empty set for none.

    `start` is included, `end` is not. Amounts are compared as signed numbers. `text` is looked for
    whatever the case; an empty one is everywhere. `providers` and `accounts` choose sources and say
    nothing about entries.
    """

    start: datetime | None = None
    end: datetime | None = None
    providers: frozenset[str] | None = None
    accounts: frozenset[str] | None = None
    unit: str | None = None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.start and self.end and self.start > self.end:
            raise BadUserInput("The filter's `from` is after its `to`; give the earlier one first.")
        if (
            self.min_amount is not None
            and self.max_amount is not None
            and self.min_amount > self.max_amount
        ):
            raise BadUserInput("The filter's `minAmount` is above its `maxAmount`.")

    def takes(self, account: Account) -> bool:
        """Tell whether an account is one of the chosen sources."""
        return (self.providers is None or account.provider in self.providers) and (
            self.accounts is None or account.id in self.accounts
        )

    def between(self, start: datetime | None, end: datetime | None) -> Self:
        """Return this filter with two more bounds, None for none; they may leave nothing."""
        start = max((one for one in (self.start, start) if one), default=None)
        end = min((one for one in (self.end, end) if one), default=None)
        if start and end and end < start:
            end = start
        return replace(self, start=start, end=end)

    @cached_property
    def canonical(self) -> str:
        """One text for all filters that mean the same."""
        parts = ((field.name, getattr(self, field.name)) for field in fields(self))
        return repr([(name, _canonical(value)) for name, value in parts if value is not None])

    def conditions(self) -> list[Keep]:
        """Return a test for each condition that is set."""
        keep: list[Keep] = []
        if (start := self.start) is not None:
            keep.append(lambda entry: entry.at >= start)
        if (end := self.end) is not None:
            keep.append(lambda entry: entry.at < end)
        if (unit := self.unit) is not None:
            keep.append(lambda entry: entry.amount.unit == unit)
        if (low := self.min_amount) is not None:
            keep.append(lambda entry: entry.amount.amount >= low)
        if (high := self.max_amount) is not None:
            keep.append(lambda entry: entry.amount.amount <= high)
        if self.text:
            part = self.text.casefold()
            keep.append(lambda entry: any(part in text.casefold() for text in _texts(entry)))
        return keep

    def keeps(self) -> Keep:
        """Return the test for all conditions together."""
        conditions = self.conditions()
        if not conditions:
            return lambda _: True
        if len(conditions) == 1:
            return conditions[0]
        return lambda entry: all(condition(entry) for condition in conditions)


@dataclass(frozen=True, kw_only=True)
class CreditChangeFilter(HistoryFilter):
    kinds: frozenset[CreditChangeKind] | None = None
    direction: Direction | None = None
    store_id: str | None = None
    partner_id: str | None = None

    def conditions(self) -> list[Keep]:
        keep = super().conditions()
        if (kinds := self.kinds) is not None:
            keep.append(lambda entry: isinstance(entry, CreditChange) and entry.kind in kinds)
        if self.direction is Direction.IN:
            keep.append(lambda entry: entry.amount.amount > 0)
        if self.direction is Direction.OUT:
            keep.append(lambda entry: entry.amount.amount < 0)
        if (store_id := self.store_id) is not None:
            keep.append(lambda entry: entry.details.get("store_id") == store_id)
        if (partner_id := self.partner_id) is not None:
            keep.append(lambda entry: entry.details.get("partner_id") == partner_id)
        return keep


@dataclass(frozen=True, kw_only=True)
class PaymentFilter(HistoryFilter):
    statuses: frozenset[PaymentStatus] | None = None

    def conditions(self) -> list[Keep]:
        keep = super().conditions()
        if (statuses := self.statuses) is not None:
            keep.append(lambda entry: isinstance(entry, Payment) and entry.status in statuses)
        return keep


def _texts(entry: Entry) -> list[str]:
    """Return what a person would look for in an entry."""
    if isinstance(entry, CreditChange):
        texts = [entry.reason, entry.description, entry.details.get("note")]
    elif isinstance(entry, Payment):
        texts = [entry.product, entry.reference]
    else:  # pragma: no cover - there are two kinds of entries
        texts = []
    return [text for text in texts if text]


def _canonical(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return plain(value.normalize())
    if isinstance(value, datetime):
        return microseconds(value)
    return value
