"""When the sample rows happened, and how providers write times."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo

_T = TypeVar("_T")

NEWEST = datetime(2026, 11, 1, 12, tzinfo=UTC)
SPAN = timedelta(days=3 * 365)

EQUAL = datetime(2026, 10, 30, 9, 15, 27, tzinfo=UTC)
"""The second of two rows that are equal in everything a provider without ids shows."""

CHINA = timezone(timedelta(hours=8))
STOCKHOLM = ZoneInfo("Europe/Stockholm")
PRAGUE = ZoneInfo("Europe/Prague")

_BURST = datetime(2026, 9, 18, 16, 40, 5, tzinfo=UTC)
_AUTUMN = datetime(2026, 10, 25, 1, tzinfo=UTC)
_EARLIER_AUTUMN = datetime(2025, 10, 26, 1, tzinfo=UTC)
_SPRING = datetime(2026, 3, 29, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)

_FIXED = (
    NEWEST,
    EQUAL,
    EQUAL,
    *(_BURST,) * 4,
    *(_AUTUMN + minutes * _MINUTE for minutes in (-40, -20, 20, 40)),
    *(_SPRING + seconds * _SECOND for seconds in (-1, 0, 1)),
    *(_EARLIER_AUTUMN + seconds * _SECOND for seconds in (-1, 0)),
)

_SAME_SECOND_SHARE = 0.08


def draw(*names: object) -> random.Random:
    """Return a source of choices that is the same in every process for the same names."""
    return random.Random("/".join(map(str, names)))  # noqa: S311 - sample rows, no secrets


def instants(choices: random.Random, count: int) -> list[datetime]:
    """Return `count` instants, oldest first, the newest of them always `NEWEST`.

    Among them are several in one second, some in the hour that local clocks of Stockholm and
    Prague show twice, and some around the hour that they skip.
    """
    chosen = list(_FIXED[:count])
    drawn: list[datetime] = []
    seconds = int(SPAN.total_seconds())
    while len(chosen) + len(drawn) < count:
        if drawn and choices.random() < _SAME_SECOND_SHARE:
            drawn.append(drawn[-1])
        else:
            drawn.append(NEWEST - choices.randrange(1, seconds) * _SECOND)
    return sorted(chosen + drawn)


def each_then_any(
    choices: random.Random, number: int, options: Sequence[_T], weights: Sequence[int]
) -> _T:
    """Return the options one after the other, then by their weights; so all of them occur."""
    if number < len(options):
        return options[number]
    return choices.choices(options, weights)[0]


def local(at: datetime, zone: tzinfo) -> str:
    """Write an instant as a provider without offsets does: `YYYY-MM-DD HH:MM:SS`."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def with_offset(at: datetime) -> str:
    """Write an instant as Cloudreve lists do: whole seconds at +08:00."""
    return at.astimezone(CHINA).isoformat(timespec="seconds")


def with_fraction(at: datetime) -> str:
    """Write an instant as Cloudreve tokens do: a fraction without closing zeros, at +08:00."""
    there = at.astimezone(CHINA)
    fraction = f"{there.microsecond:06d}".rstrip("0") or "0"
    return f"{there:%Y-%m-%dT%H:%M:%S}.{fraction}+08:00"
