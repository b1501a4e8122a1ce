"""Histories as feeds see them."""

from collections.abc import Iterable, Sequence

from histories import ACCOUNTS, START, change

from app.mirror.snapshot import Snapshot
from app.model.entries import CreditChange, Entry, Payment, PaymentStatus, ProductKind
from app.providers.page import Page


def snapshot_of(rows: Sequence[Entry], *, complete: bool = False) -> Snapshot:
    """Return a mirror of these rows, newest first."""
    return Snapshot.newest(ACCOUNTS[0], Page(tuple(rows), None if complete else "more"), START)


def paid(second: int, *, own_id: str | None = None) -> Payment:
    """Return a payment that is open, some seconds after the start."""
    one = change(second)
    return Payment(
        id=own_id or str(second),
        has_own_id=True,
        at=one.at,
        zone_assumed=False,
        amount=one.amount,
        details={"tradeNo": "1", "priceUnit": None, "fee": "0.00"},
        product="Invoice payment",
        product_kind=ProductKind.INVOICE,
        status=PaymentStatus.PENDING,
        quantity=1,
        final=False,
    )


def amounts(entries: Iterable[Entry]) -> list[int]:
    return [int(entry.amount.amount) for entry in entries]


def bare(entry: Entry | CreditChange) -> str:
    """Return what the provider gave for an id, without the ordinal among equal rows."""
    return entry.id if entry.has_own_id else entry.id.split(".")[0]
