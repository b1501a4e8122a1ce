"""Local times without an offset, read by a configured zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.providers.payload import local_instants

ZONES = [ZoneInfo("Europe/Stockholm"), ZoneInfo("Europe/Prague")]
each_zone = pytest.mark.parametrize("zone", ZONES, ids=str)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@each_zone
@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("2026-10-25 01:59:59", utc(2026, 10, 24, 23, 59, 59), None),
        ("2026-10-25 02:00:00", utc(2026, 10, 25), utc(2026, 10, 25, 1)),
        ("2026-10-25 02:59:59", utc(2026, 10, 25, 0, 59, 59), utc(2026, 10, 25, 1, 59, 59)),
        ("2026-10-25 03:00:00", utc(2026, 10, 25, 2), None),
    ],
)
def test_a_time_of_the_repeated_hour_is_both_instants(
    zone: ZoneInfo, text: str, first: datetime, second: datetime | None
) -> None:
    assert local_instants(text, zone) == (first, second)


@each_zone
@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-29 01:59:59", utc(2026, 3, 29, 0, 59, 59)),
        ("2026-03-29 02:00:00", utc(2026, 3, 29, 1)),
        ("2026-03-29 02:30:00", utc(2026, 3, 29, 1, 30)),
        ("2026-03-29 03:00:00", utc(2026, 3, 29, 1)),
    ],
)
def test_a_time_that_never_was_is_moved_on_by_the_gap(
    zone: ZoneInfo, text: str, instant: datetime
) -> None:
    assert local_instants(text, zone) == (instant, None)


def read_by_the_library(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    local = wall.replace(tzinfo=zone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second if second > first else None


def test_an_hour_that_is_repeated_about_midnight_is_both_instants_on_either_day() -> None:
    # Its clocks went back at a minute past midnight.
    there = ZoneInfo("America/St_Johns")

    read = [local_instants(f"1987-10-{text}", there) for text in ("24 23:30:00", "25 00:00:30")]

    for first, second in read:
        assert second is not None
        assert second - first == timedelta(hours=1)


@pytest.mark.parametrize("hours", [6, 24 * 200])
@given(zone=st.sampled_from(sorted(available_timezones())), chance=st.randoms())
def test_every_zone_is_read_as_the_library_reads_it(hours: int, zone: str, chance: Random) -> None:
    there = ZoneInfo(zone)
    # About the changes of a year, or at any time of it.
    year = datetime(chance.randrange(1970, 2037), 1, 1, tzinfo=UTC)
    days = [year + timedelta(days=number) for number in range(366)]
    changes = [
        one
        for one, other in pairwise(days)
        if one.astimezone(there).utcoffset() != other.astimezone(there).utcoffset()
    ]
    for middle in changes or days[::100]:
        at = middle + timedelta(seconds=chance.randrange(-hours * 3600, (hours + 24) * 3600))
        wall = at.astimezone(there).replace(tzinfo=None, microsecond=0, fold=0)

        read = local_instants(f"{wall:%Y-%m-%d %H:%M:%S}", there)

        assert read == read_by_the_library(wall, there)


@each_zone
@given(at=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001 - local
def test_an_ordinary_local_time_comes_back(zone: ZoneInfo, at: datetime) -> None:
    wall = at.replace(microsecond=0, fold=0)
    aware = wall.replace(tzinfo=zone)
    assume(aware.utcoffset() == aware.replace(fold=1).utcoffset())

    first, second = local_instants(f"{wall:%Y-%m-%d %H:%M:%S}", zone)

    assert first.utcoffset() == timedelta(0)
    assert first.astimezone(zone).replace(tzinfo=None) == wall
    assert second is None


@each_zone
@given(at=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_is_one_of_those_its_local_time_is_read_as(zone: ZoneInfo, at: datetime) -> None:
    instant = at.replace(microsecond=0)
    text = f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"

    assert instant in local_instants(text, zone)


@pytest.mark.parametrize(
    "text", ["2026-02-30 00:00:00", "2026-01-01 24:00:00", "0000-01-01 00:00:00"]
)
def test_a_day_or_an_hour_that_no_calendar_has_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        local_instants(text, ZONES[0])
