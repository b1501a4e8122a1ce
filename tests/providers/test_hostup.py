"""What only HostUp does: pages from 0, reads by POST, two successes, "0" for none."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from adapters import Hands, Store, account, adapter
from recordings import recording, replaying
from upstreams import Reply, upstream

from app.model.entries import CreditChange, CreditChangeKind, Entry, Payment, PaymentStatus, Stream
from app.model.errors import (
    UpstreamInvalidResponse,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.model.money import Money

CHANGES, PAYMENTS = Stream.CREDIT_CHANGES, Stream.PAYMENTS


async def read(stream: Stream, **instead: Any) -> tuple[Entry, ...]:  # noqa: ANN401 - any JSON
    async with (
        upstream(replaying("hostup", **instead)) as server,
        adapter("hostup", server.url) as provider,
    ):
        return (await provider.page(account(), stream, None)).entries


async def change(**changed: str) -> CreditChange:
    answer = recording("hostup", "credit-log")
    answer["data"]["log"][0].update({name.removesuffix("_"): v for name, v in changed.items()})
    (entry, _) = await read(CHANGES, credit_log=answer)
    assert isinstance(entry, CreditChange)
    return entry


async def payment(**changed: str) -> Payment:
    answer = recording("hostup", "transactions")
    answer["data"]["transactions"][0].update(changed)
    (entry, _) = await read(PAYMENTS, transactions=answer)
    assert isinstance(entry, Payment)
    return entry


async def test_the_page_of_the_log_is_always_sent_and_counted_from_zero() -> None:
    async with (
        upstream(replaying("hostup")) as server,
        adapter("hostup", server.url) as provider,
    ):
        for place in (None, "0", "1"):
            await provider.page(account(), CHANGES, place)

    asked = [one for one in server.asked if one.path == "/billing/credit-log"]
    assert [one.query for one in asked] == [{"page": "0"}, {"page": "0"}, {"page": "1"}]
    assert {one.headers["x-api-key"] for one in asked} == {"api-key-of-anna"}


async def test_transactions_are_read_by_post_with_filters() -> None:
    async with (
        upstream(replaying("hostup")) as server,
        adapter("hostup", server.url) as provider,
    ):
        page = await provider.page(account(), PAYMENTS, None)
        await provider.page(account(), PAYMENTS, page.next)

    asked = [one for one in server.asked if one.path == "/billing/transactions"]
    assert {one.method for one in asked} == {"POST"}
    assert [one.json for one in asked] == [{"filters": {}}, {"filters": {"page": 1}}]


async def test_a_read_by_post_is_tried_again() -> None:
    async with (
        upstream(replaying("hostup", transactions=Reply(b"", 502))) as server,
        adapter("hostup", server.url) as provider,
    ):
        with pytest.raises(UpstreamUnavailable):
            await provider.page(account(), PAYMENTS, None)

    # Beside the first of them the currencies are asked for.
    assert server.paths().count("/billing/transactions") == 3
    assert server.paths().count("/account/currency") == 1


async def test_zero_and_empty_mean_none() -> None:
    entry = await change(
        invoice_id="0", transaction_id="0", transid="", admin_id="0", admin_name="", description=""
    )

    names = ("invoice_id", "transaction_id", "gateway_reference", "admin_id", "admin_name")
    assert [entry.details[name] for name in names] == [None] * 5
    assert (entry.description, entry.reason) == (None, "")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({}, CreditChangeKind.SPEND),
        ({"admin_id": "7"}, CreditChangeKind.ADJUSTMENT),
        ({"invoice_id": "0"}, CreditChangeKind.OTHER),
        ({"in_": "5.00", "out": "0.00"}, CreditChangeKind.OTHER),
        ({"in_": "5.00", "out": "0.00", "transaction_id": "1"}, CreditChangeKind.TOP_UP),
        ({"in_": "5.00", "out": "0.00", "transid": "pi_1"}, CreditChangeKind.TOP_UP),
    ],
)
async def test_the_kind_is_read_from_what_a_row_links_to(
    changed: dict[str, str], kind: CreditChangeKind
) -> None:
    assert (await change(**changed)).kind is kind


@pytest.mark.parametrize(
    ("changed", "amount"),
    [
        ({"in_": "567.60", "out": "0.00"}, "567.60"),
        ({"in_": "0.10", "out": "0.30"}, "-0.20"),
        ({"in_": "999999999999999.999999999999", "out": "0"}, "999999999999999.999999999999"),
        ({"in_": "0", "out": "999999999999999.999999999999"}, "-999999999999999.999999999999"),
    ],
)
async def test_the_amount_is_what_came_in_less_what_went_out(
    changed: dict[str, str], amount: str
) -> None:
    assert str((await change(**changed)).amount.amount) == amount


@pytest.mark.parametrize("text", ["", "-1.00", "1e2", "1,00", "٣.00", "1" * 16, "0." + "1" * 13])
async def test_an_unsigned_amount_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(UpstreamInvalidResponse):
        await change(in_=text)


async def test_a_row_keeps_its_own_currency() -> None:
    entry = await change(currency_id="1")

    assert entry.amount == Money(Decimal("-39.00"), "EUR")
    assert entry.balance_after == Money(Decimal("0.00"), "EUR")


async def test_a_currency_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UpstreamInvalidResponse):
        await change(currency_id="9")


async def test_the_currency_of_a_balance_is_read_each_time() -> None:
    store, changed = Store({"apiKey": "k"}), recording("hostup", "currency")
    changed["data"]["currentCurrencyId"] = 1
    async with (
        upstream(replaying("hostup")) as server,
        adapter("hostup", server.url, store=store) as provider,
    ):
        before = await provider.balance(account())
        server.answer = replaying("hostup", currency=changed)
        after = await provider.balance(account())

    assert (before[0].unit, after[0].unit) == ("SEK", "EUR")


async def test_currencies_are_asked_for_once_an_hour() -> None:
    clock = Hands()
    async with (
        upstream(replaying("hostup")) as server,
        adapter("hostup", server.url, clock=clock) as provider,
    ):
        for minutes in (0, 30, 31):
            clock.advance(timedelta(minutes=minutes))
            await provider.page(account(), CHANGES, None)

    assert server.paths().count("/account/currency") == 2


@pytest.mark.parametrize(
    ("status", "meant", "final"),
    [
        ("Success", PaymentStatus.PAID, True),
        ("Refunded", PaymentStatus.REFUNDED, True),
        ("Pending", PaymentStatus.PENDING, False),
        ("Failed", PaymentStatus.UNKNOWN, False),
    ],
)
async def test_every_status_of_a_payment_has_its_meaning(
    status: str, meant: PaymentStatus, *, final: bool
) -> None:
    entry = await payment(status=status)

    assert (entry.status, entry.final) == (meant, final)


async def test_names_of_people_and_companies_are_not_in_a_payment() -> None:
    written = repr(await payment(companyname="Exempel AB"))

    assert not any(name in written for name in ("Anna", "Svensson", "Exempel"))


async def test_a_key_that_cannot_be_sent_is_refused_like_a_wrong_one() -> None:
    store = Store({"apiKey": "ключ"})
    async with (
        upstream(replaying("hostup")) as server,
        adapter("hostup", server.url, store=store) as provider,
    ):
        with pytest.raises(UpstreamUnauthorized):
            await provider.page(account(), CHANGES, None)

    assert server.asked == []
