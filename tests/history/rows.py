"""Rows of invented credit changes, around the switches of their zones."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from histories import ACCOUNTS, change
from hypothesis import strategies as st
from msgspec.structs import replace

from app.history.summary import Point, SummaryBucket
from app.history.window import Row
from app.mirror.timeline import microseconds
from app.model.entries import CreditChangeKind
from app.model.money import Money, UnitKind

UNITS = (
    ("SEK", UnitKind.CURRENCY),
    ("CZK", UnitKind.CURRENCY),
    ("points", UnitKind.POINTS),
    ("SEK", UnitKind.POINTS),
)
# Two switches a year, none, an odd offset, a day that never was, and switches at midnight.
ZONES = (
    "UTC",
    "Europe/Stockholm",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/Santiago",
    "Asia/Beirut",
    "America/St_Johns",
)
MINUTE = timedelta(minutes=1)

zones = st.sampled_from(ZONES).map(ZoneInfo)
buckets = st.sampled_from(SummaryBucket)
amounts = st.decimals(-1000, 1000, allow_nan=False, places=2) | st.integers(-9, 9).map(Decimal)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def row(when: datetime, money: Money, kind: CreditChangeKind, account: str, number: int) -> Row:
    entry = replace(change(0), at=when, amount=money, kind=kind)
    return Row((microseconds(when), account, number), entry)


def rows_at(*times: str, amount: str = "1") -> list[Row]:
    money = Money(Decimal(amount), "SEK")
    return [
        row(at(time), money, CreditChangeKind.OTHER, ACCOUNTS[0], number)
        for number, time in enumerate(times)
    ]


def starts(points: Sequence[Point]) -> list[str]:
    return [point.start.isoformat().replace("+00:00", "Z") for point in points]


def counts(points: Sequence[Point]) -> list[int]:
    return [point.totals.count for point in points]


@st.composite
def histories(draw: st.DrawFn, *, units: Sequence[tuple[str, UnitKind]] = UNITS) -> list[Row]:
    """Draw rows within two years, or around a switch; oldest first."""
    begin = draw(
        st.sampled_from(
            [
                at("2025-01-01T00:00:00Z"),
                at("2026-03-27T00:00:00Z"),  # the switches of Stockholm and Beirut
                at("2026-10-24T00:00:00Z"),
                at("2026-04-03T00:00:00Z"),  # those of Santiago
                at("2026-09-04T00:00:00Z"),
                at("2011-12-28T00:00:00Z"),  # Apia has no 30 December 2011
                at("2006-10-27T00:00:00Z"),  # St. John's has two midnights on 29 October 2006
            ]
        )
    )
    span = draw(st.sampled_from([timedelta(days=5), timedelta(days=700)]))
    offsets = sorted(draw(st.lists(st.integers(0, span // MINUTE), max_size=20)))
    return [
        row(
            begin + offset * MINUTE,
            Money(draw(amounts), *draw(st.sampled_from(units))),
            draw(st.sampled_from(CreditChangeKind)),
            draw(st.sampled_from(ACCOUNTS)),
            number,
        )
        for number, offset in enumerate(offsets)
    ]
