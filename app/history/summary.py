"""
Totals over a merged history, and their course in buckets of a time zone.

A bucket begins at the midnight of its first day and ends where the next one begins. A midnight that
does not exist is moved on by the gap; of one that occurs twice it is the first. So every instant
is in one bucket, and days of 23 or 25 hours are as long as they were.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact, localcontext
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple, Self
from zoneinfo import ZoneInfo

from app.history.window import Row
from app.model.entries import CreditChange, CreditChangeKind
from app.model.errors import BadUserInput
from app.model.money import UnitKind

# 27 years of days; more is no chart, and would be a lot of work for one short question.
MOST_BUCKETS = 10_000
# An amount has at most 41 digits, so that every sum fits; it would fail before it is rounded.
_EXACT = Context(prec=100, traps=[Inexact])
_NOTHING = Decimal(0)
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_Unit = tuple[UnitKind, str]
_Part = tuple[UnitKind, str, str, CreditChangeKind]


class SummaryBucket(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


_DAYS = {SummaryBucket.DAY: 1, SummaryBucket.WEEK: 7}
_MONTHS = {SummaryBucket.MONTH: 1, SummaryBucket.QUARTER: 3, SummaryBucket.YEAR: 12}


@dataclass(frozen=True)
class Totals:
    """Sums of amounts of one unit; neither `received` nor `spent` is ever negative."""

    count: int
    received: Decimal
    spent: Decimal

    @classmethod
    def of(cls, amounts: Sequence[Decimal]) -> Self:
        """Return the sums of what came in and of what went out."""
        received = [amount for amount in amounts if amount > _NOTHING]
        spent = [amount for amount in amounts if amount <= _NOTHING]
        return cls(len(amounts), _sum(received), _EXACT.subtract(_NOTHING, _sum(spent)))

    @classmethod
    def together(cls, parts: Sequence["Totals"]) -> Self:
        """Return the sums of all parts."""
        return cls(
            sum(part.count for part in parts),
            _sum(part.received for part in parts),
            _sum(part.spent for part in parts),
        )

    @property
    def net(self) -> Decimal:
        return _EXACT.subtract(self.received, self.spent)


# Of one provider's changes of one kind.
_Parts = list[tuple[str, CreditChangeKind, Totals]]


@dataclass(frozen=True)
class UnitTotals:
    """The rows of one unit, oldest first, and their totals; parts are there only if they occur.

    The kinds are in their own order.
    """

    unit: str
    kind: UnitKind
    rows: Sequence[Row]
    totals: Totals
    by_provider: Mapping[str, Totals]
    by_kind: Sequence[tuple[CreditChangeKind, Totals]]


class Point(NamedTuple):
    """One bucket: its beginning in UTC, its totals, and the sum of net up to its end."""

    start: datetime
    totals: Totals
    cumulative: Decimal


def summed(rows: Sequence[Row], provider_of: Mapping[str, str]) -> list[UnitTotals]:
    """Return the totals of each unit that occurs, in the order of the units' kinds and names.

    `provider_of` names the provider of each account by the account's id.
    """
    rows_of: defaultdict[_Unit, list[Row]] = defaultdict(list)
    # Each amount is looked at once, in the smallest part that it counts for.
    amounts: defaultdict[_Part, list[Decimal]] = defaultdict(list)
    for row in rows:
        key, entry = row
        if not isinstance(entry, CreditChange):  # pragma: no cover - they alone are summed
            continue
        money = entry.amount
        rows_of[money.kind, money.unit].append(row)
        amounts[money.kind, money.unit, key[1], entry.kind].append(money.amount)
    units: dict[_Unit, _Parts] = {unit: [] for unit in sorted(rows_of)}
    for (unit_kind, unit, account, kind), part in amounts.items():
        units[unit_kind, unit].append((provider_of[account], kind, Totals.of(part)))
    return [_unit_totals(unit, rows_of[unit], parts) for unit, parts in units.items()]


def _unit_totals(unit: _Unit, rows: Sequence[Row], parts: _Parts) -> UnitTotals:
    by_provider: defaultdict[str, list[Totals]] = defaultdict(list)
    by_kind: defaultdict[CreditChangeKind, list[Totals]] = defaultdict(list)
    for provider, kind, totals in parts:
        by_provider[provider].append(totals)
        by_kind[kind].append(totals)
    return UnitTotals(
        unit[1],
        unit[0],
        rows,
        Totals.together([totals for _, _, totals in parts]),
        {provider: Totals.together(some) for provider, some in by_provider.items()},
        [(kind, Totals.together(by_kind[kind])) for kind in CreditChangeKind if kind in by_kind],
    )


def series(rows: Sequence[Row], bucket: SummaryBucket, zone: ZoneInfo) -> list[Point]:
    """Return every bucket from the first row's to the last row's, empty ones too, oldest first.

    The rows are of one unit and oldest first; `BadUserInput` where the buckets are too many.
    """
    if not rows:
        return []
    starts = _starts(rows[0].entry.at, rows[-1].entry.at, bucket, zone)
    times = [row.entry.at for row in rows]
    amounts = [row.entry.amount.amount for row in rows]
    points: list[Point] = []
    cumulative, begin = _NOTHING, 0
    for start, following in zip_longest(starts, starts[1:]):
        end = bisect_left(times, following, begin) if following else len(times)
        totals = Totals.of(amounts[begin:end])
        cumulative, begin = _EXACT.add(cumulative, totals.net), end
        points.append(Point(start, totals, cumulative))
    return points


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    with localcontext(_EXACT):
        return sum(amounts, _NOTHING)


def _starts(
    first: datetime, last: datetime, bucket: SummaryBucket, zone: ZoneInfo
) -> list[datetime]:
    """Return where the buckets from the one that holds `first` to that of `last` begin."""
    starts = [_BEGINNING]  # of the calendar: a bucket that begins before it begins there
    for day in _first_days(_local_day(first, zone), bucket):
        start = _midnight(day, zone)
        if start > last:
            break
        # The bucket before ends by `first`, or is a day that never was and begins with its next.
        if start <= max(first, starts[-1]):
            starts.pop()
        starts.append(start)
        if len(starts) > MOST_BUCKETS:
            raise BadUserInput(
                f"The series would have more than {MOST_BUCKETS} points; choose a larger `bucket`."
            )
    return starts


def _first_days(day: date, bucket: SummaryBucket) -> Iterator[date]:
    """Yield the first days of all buckets from the one before a day's to the calendar's end.

    From the one before: where a gap goes over midnight, the day's own may begin after the instant.
    """
    before = _first_day(day, bucket).toordinal() - 1
    day = _first_day(date.fromordinal(max(before, 1)), bucket)
    while True:
        yield day
        try:
            day = _next_first_day(day, bucket)
        except (OverflowError, ValueError):
            return


def _first_day(day: date, bucket: SummaryBucket) -> date:
    if bucket is SummaryBucket.DAY:
        return day
    if bucket is SummaryBucket.WEEK:
        return day - timedelta(days=day.weekday())
    months = _MONTHS[bucket]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def _next_first_day(day: date, bucket: SummaryBucket) -> date:
    if bucket in _DAYS:
        return day + timedelta(days=_DAYS[bucket])
    months = day.year * 12 + day.month - 1 + _MONTHS[bucket]
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant of a day's midnight; the first of two, moved on where there is none."""
    try:
        return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    except OverflowError:  # east of Greenwich the first day of all began before it
        return _BEGINNING


def _local_day(at: datetime, zone: ZoneInfo) -> date:
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # an entry of the first or last day of all, in a zone beyond it
        return date.min if at.year == date.min.year else date.max
