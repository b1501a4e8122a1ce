"""The kinds of values that the configuration file is written in, and how each is written."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")
_DURATION_UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
# Far above any sensible setting and far below where adding it to a date would overflow.
_LONGEST = timedelta(days=3650)

_SIZE = re.compile(r"([0-9]{1,12})(B|KiB|MiB|GiB)?")
_SIZE_UNITS = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024, "B": 1}

_RATE = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_RATE_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}


def _as_toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Written:
    """How a value is written: `text` completes "write …", `show` renders a default."""

    text: str
    show: Callable[[Any], str] = _as_toml


def refusal(text: str, *inner: str) -> PydanticCustomError:
    """Return the error that says `text` of the value, or of the key `inner` to it."""
    return PydanticCustomError("refusal", "{text}", {"text": text, "inner": inner})


@dataclass(frozen=True)
class Rate:
    """At most `count` in any `per`."""

    count: int
    per: timedelta

    def __str__(self) -> str:
        unit = next(name for name, length in _RATE_UNITS.items() if length == self.per)
        return f"{self.count}/{unit}"


def duration(value: object) -> timedelta:
    """Return the duration that a text such as "250ms", "60s", "15m", "24h" or "7d" means."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError
    try:
        length = int(match[1]) * _DURATION_UNITS[match[2]]
    except OverflowError:
        raise refusal("is too long; write at most 3650d") from None
    if length > _LONGEST:
        raise refusal("is too long; write at most 3650d")
    return length


def _positive_duration(value: object) -> timedelta:
    length = duration(value)
    if not length:
        raise ValueError
    return length


def duration_text(length: timedelta) -> str:
    """Write a duration in the largest unit that divides it."""
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(length, _DURATION_UNITS[unit])
        # One day is written "24h" and one minute "60s", as everywhere in the documentation.
        if not rest and (count > 1 or unit in {"s", "ms"}):
            return f"{count}{unit}"
    raise ValueError(length)


def size(value: object) -> int:
    """Return the number of bytes that "8MiB", "512KiB" or a plain number means; at least one."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    match = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError
    return int(match[1]) * _SIZE_UNITS[match[2] or "B"]


def size_text(size_bytes: int) -> str:
    """Write a number of bytes in the largest unit that divides it."""
    unit = next(name for name, length in _SIZE_UNITS.items() if size_bytes % length == 0)
    return f"{size_bytes // _SIZE_UNITS[unit]}{unit}"


def rate(value: object) -> Rate:
    """Return the rate that a text such as "120/minute" means."""
    if isinstance(value, Rate):
        return value
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError
    return Rate(int(match[1]), _RATE_UNITS[match[2]])


def _whole(value: object) -> int:
    # The environment knows only texts; true and 1.0 are not numbers of anything here.
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError


def _flag(value: object) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if isinstance(value, bool):
        return value
    raise ValueError


def _printable(value: str) -> str:
    if not value or not value.isprintable():
        raise ValueError
    return value


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        # A folder of the zone database, such as "Europe", is an OSError.
        raise ValueError from None


def _quoted(show: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: f'"{show(value)}"'


Duration = Annotated[
    timedelta,
    BeforeValidator(_positive_duration),
    Written('a duration above zero such as "250ms", "60s", "15m" or "24h"', _quoted(duration_text)),
]
DurationOrZero = Annotated[
    timedelta,
    BeforeValidator(duration),
    Written('a duration such as "60s", "15m" or "24h"; "0s" for none', _quoted(duration_text)),
]
Size = Annotated[
    int,
    BeforeValidator(size),
    Written('a size such as "8MiB" or "512KiB", or a number of bytes', _quoted(size_text)),
]
RateLimit = Annotated[
    Rate,
    BeforeValidator(rate),
    Written('a rate such as "120/minute"; per second, minute, hour or day', _quoted(str)),
]
Positive = Annotated[
    int, Field(ge=1), BeforeValidator(_whole), Written("a whole number of at least 1")
]
Port = Annotated[
    int, Field(ge=0, le=65535), BeforeValidator(_whole), Written("a whole number from 0 to 65535")
]
PageSize = Annotated[
    int, Field(ge=1, le=1000), BeforeValidator(_whole), Written("a whole number from 1 to 1000")
]
CloudrevePageSize = Annotated[
    int, Field(ge=10, le=100), BeforeValidator(_whole), Written("a whole number from 10 to 100")
]
Flag = Annotated[bool, BeforeValidator(_flag), Written("true or false")]
Text = Annotated[
    str, AfterValidator(_printable), Written("a text in quotes that is not empty, on one line")
]
TimeZone = Annotated[
    ZoneInfo,
    BeforeValidator(_zone),
    Written('an IANA time zone such as "Europe/Prague"', _quoted(str)),
]
