"""A payment can change after it was made, and the mirror follows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from list_provider import ACCOUNT, CHANGES, ListProvider, TestClock, mirror_of
from msgspec.structs import replace
from reading import seen, settled

from app.history.window import Window
from app.mirror.mirror import Mirror
from app.model.entries import Payment, PaymentStatus, ProductKind
from app.model.money import Money

CLOCK_START = TestClock()()
PAID, PENDING = PaymentStatus.PAID, PaymentStatus.PENDING


def payment(days_ago: int, status: PaymentStatus = PAID) -> Payment:
    return Payment(
        id="",
        has_own_id=True,
        at=CLOCK_START - timedelta(days=days_ago),
        zone_assumed=False,
        amount=Money(Decimal(10), "SEK"),
        details={},
        product="Points",
        product_kind=ProductKind.POINTS,
        status=status,
        quantity=1,
        final=status is not PENDING,
    )


def provider_with(pending_at: int, days: int = 1) -> ListProvider:
    """Return twelve payments, three on a page, of which one has not been paid."""
    statuses = [PENDING if index == pending_at else PAID for index in range(12)]
    return ListProvider(
        [payment(index * days, status) for index, status in enumerate(statuses)], "page"
    )


def pay(provider: ListProvider, index: int) -> None:
    serial, row = provider.rows[index]
    assert isinstance(row, Payment)
    provider.rows[index] = (serial, replace(row, status=PAID, final=True))


async def statuses(mirror: Mirror) -> list[PaymentStatus]:
    found = await seen(mirror, Window(20))
    return [row.entry.status for row in found.rows if isinstance(row.entry, Payment)]


async def refresh(mirror: Mirror, clock: TestClock) -> None:
    clock.move(61)
    await mirror.read(ACCOUNT, CHANGES)
    await settled(mirror)


@pytest.mark.parametrize("pending_at", [0, 2, 3, 8])
async def test_a_payment_that_was_open_is_read_again_until_it_is_not(pending_at: int) -> None:
    provider, clock = provider_with(pending_at), TestClock()
    async with mirror_of(provider, clock) as mirror:
        before = await statuses(mirror)
        pay(provider, pending_at)

        await refresh(mirror, clock)

        assert PENDING in before
        assert await statuses(mirror) == [PAID] * 12


async def test_a_history_without_open_payments_is_refreshed_by_one_call() -> None:
    provider, clock = provider_with(pending_at=8), TestClock()
    pay(provider, 8)
    async with mirror_of(provider, clock) as mirror:
        await statuses(mirror)
        before = provider.calls

        await refresh(mirror, clock)

    assert provider.calls == before + 1


async def test_a_payment_that_stayed_open_for_months_costs_no_calls() -> None:
    provider, clock = provider_with(pending_at=8, days=10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await statuses(mirror)
        before = provider.calls

        await refresh(mirror, clock)

    assert provider.calls == before + 1


async def test_a_refresh_reads_a_bounded_number_of_pages() -> None:
    rows = [payment(0, PENDING if index == 59 else PAID) for index in range(60)]
    provider, clock = ListProvider(rows, "page"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(100))
        before = provider.calls

        await refresh(mirror, clock)

    assert provider.calls <= before + 6
