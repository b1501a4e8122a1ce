"""
Totals over a merged history, and their course in buckets of a time zone.

A bucket begins at the midnight of its first day and ends where the next one begins. A midnight that
does not exist is moved on by the gap; of one that occurs twice it is the first. So every instant
is in one bucket, and days of 23 or 25 hours are as long as they were.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, Inexact
from enum import StrEnum
from typing import NamedTuple
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


class SummaryBucket(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"


_DAYS = {SummaryBucket.DAY: 1, SummaryBucket.WEEK: 7}
_MONTHS = {SummaryBucket.MONTH: 1, SummaryBucket.QUARTER: 3, SummaryBucket.YEAR: 12}


@dataclass
class Totals:
    """Sums of amounts of one unit; neither `received` nor `spent` is ever negative."""

    count: int = 0
    received: Decimal = _NOTHING
    spent: Decimal = _NOTHING

    def add(self, amount: Decimal) -> None:
        self.count += 1
        if amount > 0:
            self.received = _EXACT.add(self.received, amount)
        else:
            self.spent = _EXACT.subtract(self.spent, amount)

    @property
    def net(self) -> Decimal:
        return _EXACT.subtract(self.received, self.spent)


class UnitTotals:
    """The rows of one unit, oldest first, and their totals; parts are there only if they occur."""

    def __init__(self, unit: str, kind: UnitKind) -> None:
        self.unit = unit
        self.kind = kind
        self.rows: list[Row] = []
        self.totals = Totals()
        self.by_provider: defaultdict[str, Totals] = defaultdict(Totals)
        self._by_kind: defaultdict[CreditChangeKind, Totals] = defaultdict(Totals)

    def add(self, row: Row, change: CreditChange, provider: str) -> None:
        self.rows.append(row)
        for totals in (self.totals, self.by_provider[provider], self._by_kind[change.kind]):
            totals.add(change.amount.amount)

    @property
    def by_kind(self) -> list[tuple[CreditChangeKind, Totals]]:
        """The totals of each kind that occurs, in the kinds' own order."""
        return [(kind, self._by_kind[kind]) for kind in CreditChangeKind if kind in self._by_kind]


class Point(NamedTuple):
    """One bucket: its beginning in UTC, its totals, and the sum of net up to its end."""

    start: datetime
    totals: Totals
    cumulative: Decimal


def summed(rows: Sequence[Row], provider_of: Mapping[str, str]) -> list[UnitTotals]:
    """Return the totals of each unit that occurs, in the order of the units' kinds and names.

    `provider_of` names the provider of each account by the account's id.
    """
    units: dict[tuple[UnitKind, str], UnitTotals] = {}
    for row in rows:
        if not isinstance(row.entry, CreditChange):  # pragma: no cover - they alone are summed
            continue
        money = row.entry.amount
        key = (money.kind, money.unit)
        if key not in units:
            units[key] = UnitTotals(money.unit, money.kind)
        units[key].add(row, row.entry, provider_of[row.key[1]])
    return [units[key] for key in sorted(units)]


def series(rows: Sequence[Row], bucket: SummaryBucket, zone: ZoneInfo) -> list[Point]:
    """Return every bucket from the first row's to the last row's, empty ones too, oldest first.

    The rows are of one unit and oldest first; `BadUserInput` where the buckets are too many.
    """
    if not rows:
        return []
    starts = _starts(rows[0].entry.at, rows[-1].entry.at, bucket, zone)
    totals = [Totals() for _ in starts]
    for row in rows:
        totals[bisect_right(starts, row.entry.at) - 1].add(row.entry.amount.amount)
    points: list[Point] = []
    cumulative = _NOTHING
    for start, one in zip(starts, totals, strict=True):
        cumulative = _EXACT.add(cumulative, one.net)
        points.append(Point(start, one, cumulative))
    return points


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
