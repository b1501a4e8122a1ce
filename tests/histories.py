"""Invented histories for tests: entries, strategies for them, and lists as providers page them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from app.model.entries import CreditChange, CreditChangeKind
from app.model.money import Money, UnitKind

START = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = ("00000000000000a1", "00000000000000b2", "00000000000000c3", "00000000000000d4")


def change(second: int, amount: int = 1, *, own_id: str | None = None) -> CreditChange:
    """Return a credit change some seconds after the start; without an id of its own by default."""
    return CreditChange(
        id=own_id or f"{second}/{amount}",
        has_own_id=own_id is not None,
        at=START + timedelta(seconds=second),
        zone_assumed=False,
        amount=Money(Decimal(amount), "points", UnitKind.POINTS),
        details={},
        kind=CreditChangeKind.TOP_UP if amount > 0 else CreditChangeKind.SPEND,
        reason="even" if amount % 2 == 0 else "odd",
    )


@st.composite
def newest_first(draw: st.DrawFn, *, most: int = 12, seconds: int = 6) -> list[CreditChange]:
    """Draw a provider's list: newest first, with many equal times and some equal rows."""
    times = draw(st.lists(st.integers(0, seconds), max_size=most))
    amounts = draw(st.lists(st.integers(-2, 2), min_size=len(times), max_size=len(times)))
    rows = [change(second, amount) for second, amount in zip(times, amounts, strict=True)]
    return sorted(rows, key=lambda row: row.at, reverse=True)
