"""Totals over a credit history, and their course."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Self, cast
from zoneinfo import ZoneInfo

import strawberry

from app.api.types.money import Money
from app.api.types.providers import Provider
from app.api.types.reading import read
from app.api.types.sources import HistorySource
from app.history import summary
from app.model import money as model
from app.model.entries import CreditChangeKind
from app.model.money import UnitKind
from app.providers import page


class Calendar(NamedTuple):
    """How the series is cut."""

    bucket: summary.SummaryBucket
    zone: ZoneInfo


@strawberry.type(description="All credit changes of one kind, in one unit.")
class KindTotal:
    kind: CreditChangeKind
    count: int = strawberry.field(description="How many changes there are.")
    net: Money = strawberry.field(description="The sum of their signed amounts.")


@strawberry.type(description="All credit changes at one provider, in one unit.")
class ProviderTotal:
    provider: Provider
    count: int = strawberry.field(description="How many changes there are.")
    net: Money = strawberry.field(description="The sum of their signed amounts.")


@strawberry.type(description="All credit changes of one bucket, in one unit.")
class SeriesPoint:
    point: strawberry.Private[summary.Point]
    found: strawberry.Private[summary.UnitTotals]
    start: datetime = read(
        lambda self: self.point.start,
        "Where the bucket begins; it ends where the next one begins.",
    )
    received: Money = read(
        lambda self: _money(self.point.totals.received, self.found),
        "The sum of what came in; never negative.",
    )
    spent: Money = read(
        lambda self: _money(self.point.totals.spent, self.found),
        "The sum of what went out, as a positive amount.",
    )
    net: Money = read(
        lambda self: _money(self.point.totals.net, self.found), "received minus spent."
    )
    cumulative: Money = read(
        lambda self: _money(self.point.cumulative, self.found),
        "Sum of net from the first bucket up to and including this one.",
    )


@strawberry.type(description="All credit changes in one unit.")
class UnitSummary:
    unit: str = strawberry.field(description="As `Money.unit` has it.")
    unit_kind: UnitKind
    count: int = strawberry.field(description="How many changes there are.")
    received: Money = strawberry.field(description="The sum of what came in; never negative.")
    spent: Money = strawberry.field(description="The sum of what went out, as a positive amount.")
    net: Money = strawberry.field(description="received minus spent.")
    by_kind: list[KindTotal] = strawberry.field(
        description="One for each kind that occurs, in the order of the kinds."
    )
    by_provider: list[ProviderTotal] = strawberry.field(
        description="One for each provider that occurs, in the order of the configuration."
    )
    found: strawberry.Private[summary.UnitTotals]
    calendar: strawberry.Private[Calendar]

    @classmethod
    def of(
        cls, found: summary.UnitTotals, configured: Mapping[str, page.Provider], calendar: Calendar
    ) -> Self:
        totals = found.totals
        return cls(
            unit=found.unit,
            unit_kind=found.kind,
            count=totals.count,
            received=_money(totals.received, found),
            spent=_money(totals.spent, found),
            net=_money(totals.net, found),
            by_kind=[
                KindTotal(kind=kind, count=part.count, net=_money(part.net, found))
                for kind, part in found.by_kind
            ],
            by_provider=[
                ProviderTotal(
                    provider=Provider.of(configured[name]),
                    count=part.count,
                    net=_money(part.net, found),
                )
                for name in configured
                if (part := found.by_provider.get(name))
            ],
            found=found,
            calendar=calendar,
        )

    @strawberry.field(
        description="Every bucket from the first entry to the last, empty ones included, oldest "
        "first."
    )
    def series(self) -> list[SeriesPoint]:
        return [
            SeriesPoint(point=point, found=self.found)
            for point in summary.series(self.found.rows, *self.calendar)
        ]


@strawberry.type(description="Totals over a credit history.")
class CreditSummary:
    units: list[UnitSummary] = strawberry.field(
        description="One for each unit that occurs; units are never mixed."
    )
    sources: list[HistorySource] = strawberry.field(
        description="One for each account asked: how fresh and how complete its part is."
    )


def _money(amount: Decimal, found: summary.UnitTotals) -> Money:
    # As in `Money.maybe`.
    return cast("Money", model.Money(amount, found.unit, found.kind))
