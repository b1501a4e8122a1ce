"""Totals over a credit history, and their course."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

import strawberry

from app.api.types.money import Money
from app.api.types.providers import Provider
from app.api.types.sources import HistorySource
from app.history import summary
from app.model.entries import CreditChangeKind
from app.model.money import UnitKind
from app.providers import page


class Calendar(NamedTuple):
    """How the series is cut."""

    bucket: summary.SummaryBucket
    zone: ZoneInfo


@strawberry.type
class KindTotal:
    kind: CreditChangeKind
    count: int
    net: Money


@strawberry.type
class ProviderTotal:
    provider: Provider
    count: int
    net: Money


@strawberry.type
class SeriesPoint:
    start: datetime
    received: Money
    spent: Money
    net: Money
    cumulative: Money = strawberry.field(
        description="Sum of net from the first bucket up to and including this one."
    )


@strawberry.type
class UnitSummary:
    unit: str
    unit_kind: UnitKind
    count: int
    received: Money = strawberry.field(description="The sum of what came in; never negative.")
    spent: Money = strawberry.field(description="The sum of what went out, as a positive amount.")
    net: Money = strawberry.field(description="received minus spent.")
    by_kind: list[KindTotal]
    by_provider: list[ProviderTotal]
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
            SeriesPoint(
                start=point.start,
                received=_money(point.totals.received, self.found),
                spent=_money(point.totals.spent, self.found),
                net=_money(point.totals.net, self.found),
                cumulative=_money(point.cumulative, self.found),
            )
            for point in summary.series(self.found.rows, *self.calendar)
        ]


@strawberry.type
class CreditSummary:
    units: list[UnitSummary] = strawberry.field(
        description="One for each unit that occurs; units are never mixed."
    )
    sources: list[HistorySource]


def _money(amount: Decimal, found: summary.UnitTotals) -> Money:
    return Money(amount=amount, unit=found.unit, unit_kind=found.kind)
