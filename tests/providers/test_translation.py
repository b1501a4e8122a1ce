"""The recorded answers translated, every field by its value."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters import account, adapter
from recordings import replaying
from upstreams import upstream

from app.model.entries import (
    CreditChange,
    CreditChangeKind,
    Entry,
    Payment,
    PaymentStatus,
    ProductKind,
    Stream,
)
from app.model.money import Money, UnitKind
from app.providers.page import Page


async def read(kind: str, stream: Stream, **changed: Any) -> Page:  # noqa: ANN401 - any setting
    async with upstream(replaying(kind)) as server, adapter(kind, server.url, **changed) as it:
        return await it.page(account(), stream, None)


def points(amount: int) -> Money:
    return Money(Decimal(amount), "points", UnitKind.POINTS)


def parts(entry: Entry) -> tuple[object, ...]:
    return entry.at, entry.at_second, entry.zone_assumed, entry.has_own_id, entry.position


async def test_cloudreve_changes_are_read_as_recorded() -> None:
    page = await read("cloudreve", Stream.CREDIT_CHANGES)

    earned, same, spent, adjusted = page.entries
    assert (page.next, page.overlap) == ("eyJpZCI6InFLT3doNyJ9", 0)
    assert parts(earned) == (datetime(2025, 5, 8, 10, 28, 46, tzinfo=UTC), None, False, False, 0)
    assert earned.at.utcoffset() == timedelta(0)
    assert isinstance(earned, CreditChange)
    assert isinstance(spent, CreditChange)
    assert isinstance(adjusted, CreditChange)
    assert (earned.amount, earned.balance_after) == (points(800), None)
    assert (earned.kind, earned.reason) == (CreditChangeKind.EARNING, "share_purchased")
    assert (earned.description, earned.details) == (None, {"reason": "share_purchased"})
    assert same.at == datetime(2025, 4, 27, 1, 55, 43, tzinfo=UTC)
    assert (spent.amount, spent.kind) == (points(-300), CreditChangeKind.SPEND)
    assert (adjusted.amount, adjusted.kind) == (points(-1), CreditChangeKind.ADJUSTMENT)
    assert len({entry.id for entry in page.entries}) == 4


async def test_cloudreve_payments_are_read_as_recorded() -> None:
    page = await read("cloudreve", Stream.PAYMENTS)

    unpaid, fulfilled, storage = page.entries
    assert page.next is None
    assert fulfilled == Payment(
        id="op5Fn",
        has_own_id=True,
        at=datetime(2025, 3, 11, 3, 11, 25, tzinfo=UTC),
        updated_at=datetime(2025, 3, 11, 3, 14, 5, tzinfo=UTC),
        zone_assumed=False,
        amount=Money(Decimal("1.00"), "CNY"),
        unit_price=Money(Decimal("0.01"), "CNY"),
        quantity=100,
        product="Points",
        product_kind=ProductKind.POINTS,
        status=PaymentStatus.FULFILLED,
        final=True,
        reference="20250311111124004538711012",
        details={
            "payment_id": "op5Fn",
            "trade_no": "20250311111124004538711012",
            "status": "fulfilled",
            "quantity": 100,
            "price_unit": 1,
            "price_one_unit": 100,
            "price_currency": "CNY",
            "price_mark": "¥",
            "product_type": 4,
        },
    )
    assert isinstance(unpaid, Payment)
    assert (unpaid.amount, unpaid.status) == (Money(Decimal(10), "CNY"), PaymentStatus.PENDING)
    assert not unpaid.final
    assert isinstance(storage, Payment)
    assert storage.amount == storage.unit_price == Money(Decimal(5), "CNY")
    assert (storage.product, storage.product_kind) == ("Basic Storage", ProductKind.STORAGE)


async def test_the_hostup_log_is_read_as_recorded() -> None:
    page = await read("hostup", Stream.CREDIT_CHANGES)

    newest, older = page.entries
    assert page.next is None
    assert newest == CreditChange(
        id="4969",
        has_own_id=True,
        at=datetime(2026, 2, 9, 23, tzinfo=UTC),
        zone_assumed=True,
        amount=Money(Decimal("-39.00"), "SEK"),
        balance_after=Money(Decimal("0.00"), "SEK"),
        kind=CreditChangeKind.SPEND,
        reason="Credit applied to invoice",
        description="Credit applied to invoice",
        details={
            "entry_id": "4969",
            "in_": "0.00",
            "out": "39.00",
            "invoice_id": "45919",
            "transaction_id": None,
            "gateway_reference": None,
            "currency_id": "0",
            "client_id": "30000",
            "client_first_name": "Anna",
            "client_last_name": "Svensson",
            "brand_id": None,
            "client_brand_id": "1",
            "admin_id": None,
            "admin_name": None,
            "edit": {
                "entry_id": "4969",
                "date": "05/12/2025",
                "client_id": "30000",
                "in_": "0.00",
                "out": "39.00",
                "balance": "0.00",
                "description": "Credit applied to invoice",
                "transaction_id": None,
                "invoice_id": "45919",
            },
        },
    )
    assert isinstance(older, CreditChange)
    assert (older.id, older.balance_after) == ("4670", Money(Decimal("39.00"), "SEK"))


async def test_hostup_transactions_are_read_as_written_from_the_field_tables() -> None:
    page = await read("hostup", Stream.PAYMENTS)

    paid, refunded = page.entries
    assert page.next == "1"
    assert paid == Payment(
        id="7312",
        has_own_id=True,
        at=datetime(2026, 2, 11, 13, 3, 9, tzinfo=UTC),
        zone_assumed=True,
        amount=Money(Decimal("390.00"), "EUR"),
        quantity=1,
        product="Invoice payment",
        product_kind=ProductKind.INVOICE,
        status=PaymentStatus.PAID,
        final=True,
        reference="pi_3Qabc",
        details={
            "transaction_id": "7312",
            "status": "Success",
            "type": "invoice",
            "method": "Stripe Checkout",
            "in_": "390.00",
            "out": "0.00",
            "fee": "7.80",
            "invoice_id": "45919",
            "currency_id": "1",
            "client_id": "30000",
        },
    )
    assert isinstance(refunded, Payment)
    assert refunded.amount == Money(Decimal("-39.50"), "SEK")
    assert (refunded.status, refunded.reference) == (PaymentStatus.REFUNDED, None)
    assert refunded.product_kind is ProductKind.OTHER


async def test_carecloud_history_is_read_as_written_from_the_field_tables() -> None:
    page = await read(
        "carecloud",
        Stream.CREDIT_CHANGES,
        operation_kinds={"Manually added credits": "ADJUSTMENT"},
        negative_operations=["Redemption"],
    )

    added, paid, redeemed = page.entries
    assert (page.next, page.overlap) == (None, 0)
    assert isinstance(added, CreditChange)
    assert parts(added) == (datetime(2026, 8, 14, 7, 30, 11, tzinfo=UTC), None, True, False, 0)
    assert (added.amount, added.balance_after) == (Money(Decimal("120.5"), "CZK"), None)
    assert (added.kind, added.reason, added.description) == (
        CreditChangeKind.ADJUSTMENT,
        "Manually added credits",
        "Goodwill",
    )
    assert added.details == {
        "operation_type": "Manually added credits",
        "note": "Goodwill",
        "store_id": "86e05affc7a7abefcd513ab402",
        "partner_id": "86e05affc7a7abefcd513ab401",
        "currency_id": "86e05affc7a7abefcd513ab400",
    }
    assert paid.amount == Money(Decimal("-0.3"), "EUR")
    assert isinstance(redeemed, CreditChange)
    assert redeemed.amount == Money(Decimal(-1000), "CZK")
    assert redeemed.details["store_id"] is None
    assert redeemed.at == datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC)


async def test_balances_are_read_as_recorded() -> None:
    expected = {
        "cloudreve": (points(1299),),
        "hostup": (Money(Decimal("39.00"), "SEK"),),
        "carecloud": (Money(Decimal("1120.5"), "CZK"), Money(Decimal("-0.3"), "EUR")),
    }
    found = {}
    for kind in expected:
        async with upstream(replaying(kind)) as server, adapter(kind, server.url) as it:
            found[kind] = await it.balance(account())

    assert found == expected
