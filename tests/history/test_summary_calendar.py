"""Buckets are what a calendar on the wall shows, through every switch of the clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from rows import MINUTE, UNITS, ZONES, at, buckets, counts, histories, rows_at, starts, zones

from app.history.summary import MOST_BUCKETS, SummaryBucket, series
from app.history.window import Row
from app.model.errors import BadUserInput


def first_instants(begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """Return, minute by minute, each instant at which a new day is on the wall for the first time.

    Zones switch on whole minutes in the years asked.
    """
    found, latest = [], None
    now = begin
    while now <= end:
        day = now.astimezone(zone).date()
        if latest is not None and day > latest:
            found.append(now)
        latest = day if latest is None else max(latest, day)
        now += MINUTE
    return found


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize(
    "around",
    ["2026-03-29", "2026-10-25", "2026-04-05", "2026-09-06", "2011-12-30", "2006-10-29"],
)
def test_days_begin_when_a_new_date_is_first_on_the_wall(name: str, around: str) -> None:
    zone = ZoneInfo(name)
    middle = at(f"{around}T12:00:00Z")
    begin, end = middle - timedelta(days=4), middle + timedelta(days=4)

    points = series(
        rows_at(begin.isoformat(), end.isoformat()),
        SummaryBucket.DAY,
        zone,
    )

    assert [point.start for point in points[1:]] == first_instants(begin, end, zone)
    assert points[0].start.astimezone(zone).date() == begin.astimezone(zone).date()


@given(rows=histories(units=UNITS[:1]), bucket=buckets, zone=zones)
def test_a_bucket_begins_at_the_first_midnight_of_its_first_day(
    rows: list[Row], bucket: SummaryBucket, zone: ZoneInfo
) -> None:
    points = series(rows, bucket, zone)

    days = [point.start.astimezone(zone).date() for point in points]
    for point, day in zip(points, days, strict=True):
        before = point.start - timedelta(microseconds=1)
        assert before.astimezone(zone).date() < day
        assert point.start.tzinfo is UTC
        if bucket is SummaryBucket.WEEK:
            assert day.weekday() == 0
        if bucket in {SummaryBucket.MONTH, SummaryBucket.QUARTER, SummaryBucket.YEAR}:
            assert day.day == 1
        if bucket is SummaryBucket.QUARTER:
            assert day.month in {1, 4, 7, 10}
        if bucket is SummaryBucket.YEAR:
            assert day.month == 1
    longest = {"DAY": 1, "WEEK": 7, "MONTH": 31, "QUARTER": 92, "YEAR": 366}[bucket]
    for one, following in pairwise(days):
        never_was = zone.key == "Pacific/Apia" and one.isoformat() == "2011-12-29"
        assert 0 < (following - one).days <= longest + never_was


def test_the_days_of_the_switches_have_23_and_25_hours() -> None:
    stockholm = ZoneInfo("Europe/Stockholm")
    spring = rows_at("2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z")
    autumn = rows_at("2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")

    in_spring = series(spring, SummaryBucket.DAY, stockholm)
    in_autumn = series(autumn, SummaryBucket.DAY, stockholm)

    assert starts(in_spring) == [
        "2026-03-27T23:00:00Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T22:00:00Z",
    ]
    assert starts(in_autumn) == [
        "2026-10-23T22:00:00Z",
        "2026-10-24T22:00:00Z",
        "2026-10-25T23:00:00Z",
    ]
    assert counts(in_spring) == counts(in_autumn) == [1, 0, 1]


@pytest.mark.parametrize(
    ("zone", "before", "after", "begin"),
    [
        # At midnight the clock goes to 01:00.
        ("America/Santiago", "2026-09-06T03:59:59Z", "2026-09-06T04:00:00Z", "2026-09-06T04:00Z"),
        ("Asia/Beirut", "2026-03-28T21:59:59Z", "2026-03-28T22:00:00Z", "2026-03-28T22:00Z"),
        # At 00:01 it goes back to 23:01.
        ("America/St_Johns", "2006-10-29T02:29:59Z", "2006-10-29T02:31:00Z", "2006-10-29T02:30Z"),
        # At midnight it goes back to 23:00, and only the second midnight begins a day.
        ("America/Santiago", "2026-04-05T03:59:59Z", "2026-04-05T04:00:00Z", "2026-04-05T04:00Z"),
        # 30 December was left out.
        ("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z", "2011-12-30T10:00Z"),
    ],
)
def test_a_midnight_that_is_missing_or_there_twice_parts_two_days(
    zone: str, before: str, after: str, begin: str
) -> None:
    points = series(rows_at(before, after), SummaryBucket.DAY, ZoneInfo(zone))

    assert counts(points) == [1, 1]
    assert points[1].start == at(begin)


def test_an_entry_alone_in_a_repeated_hour_is_in_the_day_that_had_begun() -> None:
    alone = rows_at("2006-10-29T02:45:00Z")  # 23:15 of the 28th for the second time

    points = series(alone, SummaryBucket.DAY, ZoneInfo("America/St_Johns"))

    assert starts(points) == ["2006-10-29T02:30:00Z"]


def test_an_entry_in_a_gap_over_midnight_is_in_the_day_before() -> None:
    alone = rows_at("1919-03-31T04:45:00Z")  # the clock went from 23:30 to 00:30

    points = series(alone, SummaryBucket.DAY, ZoneInfo("America/Toronto"))

    assert starts(points) == ["1919-03-30T05:00:00Z"]
    assert counts(points) == [1]


@pytest.mark.parametrize(
    ("bucket", "expected"),
    [
        (SummaryBucket.WEEK, ["2025-12-28T23:00:00Z", "2026-01-04T23:00:00Z"]),
        (SummaryBucket.MONTH, ["2025-12-31T23:00:00Z"]),
        (SummaryBucket.QUARTER, ["2025-12-31T23:00:00Z"]),
        (SummaryBucket.YEAR, ["2025-12-31T23:00:00Z"]),
    ],
)
def test_a_bucket_is_the_zones_not_greenwichs(bucket: SummaryBucket, expected: list[str]) -> None:
    rows = rows_at("2025-12-31T23:30:00Z", "2026-01-05T00:00:00Z")

    points = series(rows, bucket, ZoneInfo("Europe/Stockholm"))

    assert starts(points) == expected


@pytest.mark.parametrize("bucket", SummaryBucket)
def test_a_series_has_as_many_points_as_are_allowed_and_no_more(bucket: SummaryBucket) -> None:
    length = {"DAY": 1, "WEEK": 7, "MONTH": 30.4368, "QUARTER": 91.3106, "YEAR": 365.2425}[bucket]
    begin = at("0001-01-01T00:00:00Z")
    end = begin + min(timedelta(days=length * (MOST_BUCKETS - 5)), timedelta(days=3652058))
    utc = ZoneInfo("UTC")

    most = series(rows_at(begin.isoformat(), end.isoformat()), bucket, utc)

    assert MOST_BUCKETS - 10 <= len(most) <= MOST_BUCKETS
    if bucket in {SummaryBucket.DAY, SummaryBucket.WEEK, SummaryBucket.MONTH}:
        later = end + timedelta(days=length * 10)
        with pytest.raises(BadUserInput, match="choose a larger `bucket`"):
            series(rows_at(begin.isoformat(), later.isoformat()), bucket, utc)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "America/New_York", "Pacific/Apia"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("bucket", SummaryBucket)
def test_an_entry_at_either_end_of_the_calendar_is_counted(
    zone: str, time: str, bucket: SummaryBucket
) -> None:
    points = series(rows_at(time), bucket, ZoneInfo(zone))

    assert counts(points) == [1]
    assert points[0].start <= at(time)
