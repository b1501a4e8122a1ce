"""What only Cloudreve does: failures in successes, cursors, prices in minor units."""

from decimal import Decimal
from typing import Any

import pytest
from adapters import account, adapter, settings_of
from pydantic import ValidationError
from recordings import recording, replaying
from upstreams import Reply, as_json, upstream

from app.model.entries import Entry, Payment, PaymentStatus, ProductKind, Stream
from app.model.errors import (
    GatewayError,
    PlaceLost,
    UpstreamInvalidResponse,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.model.money import Money, UnitKind

CHANGES, PAYMENTS = Stream.CREDIT_CHANGES, Stream.PAYMENTS


def failing(code: int) -> dict[str, Any]:
    return {"code": code, "msg": "internal: secret of the site", "correlation_id": "b4351ecc"}


async def payment(**changed: Any) -> Entry:  # noqa: ANN401 - any field
    """Translate the first recorded payment with some fields changed; None removes one."""
    answer = recording("cloudreve", "payments")
    row = {**answer["data"]["payments"][0], **changed}
    answer["data"]["payments"] = [{name: value for name, value in row.items() if value is not None}]
    async with (
        upstream(replaying("cloudreve", payments=answer)) as server,
        adapter("cloudreve", server.url) as provider,
    ):
        return (await provider.page(account(), PAYMENTS, None)).entries[0]


@pytest.mark.parametrize("stream", [CHANGES, PAYMENTS])
@pytest.mark.parametrize("page_size", [10, 100])
async def test_the_size_and_the_direction_are_always_sent(stream: Stream, page_size: int) -> None:
    async with (
        upstream(replaying("cloudreve")) as server,
        adapter("cloudreve", server.url, page_size=page_size) as provider,
    ):
        await provider.page(account(), stream, None)
        await provider.page(account(), stream, "eyJ+/w==")

    first, next_page = server.asked[-2:]
    assert first.query == {"page_size": str(page_size), "order_direction": "desc"}
    assert next_page.query == {**first.query, "next_page_token": "eyJ+/w=="}


@pytest.mark.parametrize("size", [9, 101])
def test_a_page_size_out_of_the_documented_range_is_never_asked(size: int) -> None:

    with pytest.raises(ValidationError):
        settings_of("cloudreve", "https://it.example", page_size=size)


@pytest.mark.parametrize(
    ("code", "error", "tries"),
    [
        *((code, UpstreamUnauthorized, 1) for code in (403, 40017, 40018, 40021, 40088, 40089)),
        *((code, UpstreamUnauthorized, 2) for code in (401, 40020)),
        *((code, UpstreamInvalidResponse, 1) for code in (404, 409, 40001, 40019, 40083, 40087)),
        *((code, UpstreamInvalidResponse, 1) for code in (203, 40022, 40026, 40062)),
        *((code, UpstreamUnavailable, 3) for code in (50001, 50002, -1)),
    ],
)
async def test_every_code_has_its_error(code: int, error: type[GatewayError], tries: int) -> None:
    async with (
        upstream(replaying("cloudreve", credit_changes=failing(code))) as server,
        adapter("cloudreve", server.url) as provider,
    ):
        with pytest.raises(error) as raised:
            await provider.page(account(), CHANGES, None)

    assert type(raised.value).__mro__[:2].count(error) == 1
    assert server.paths().count("/user/creditChanges") == tries
    assert "secret" not in f"{raised.value!r}{raised.value}"


@pytest.mark.parametrize("code", [404, 40001, 50001])
async def test_a_refused_cursor_is_a_lost_place_and_is_not_tried_again(code: int) -> None:
    async with (
        upstream(replaying("cloudreve", credit_changes=failing(code))) as server,
        adapter("cloudreve", server.url) as provider,
    ):
        with pytest.raises(PlaceLost):
            await provider.page(account(), CHANGES, "eyJpZCI6IngifQ==")

    assert server.paths().count("/user/creditChanges") == 1


async def test_a_site_without_the_lists_is_told_from_a_failing_one() -> None:
    for reply in (Reply(b"404 page not found", 404, content_type="text/plain"), Reply(b"<html>")):
        async with (
            upstream(replaying("cloudreve", credit_changes=reply)) as server,
            adapter("cloudreve", server.url) as provider,
        ):
            with pytest.raises(UpstreamInvalidResponse):
                await provider.page(account(), CHANGES, None)

        assert server.paths().count("/user/creditChanges") == 1


@pytest.mark.parametrize(
    ("changed", "amount", "unit_price"),
    [
        ({}, Money(Decimal("10.00"), "CNY"), Money(Decimal("0.01"), "CNY")),
        ({"price_unit": 1490, "qyt": 12}, Money(Decimal("178.80"), "CNY"), None),
        (
            {"price_id": "JPY", "price_one_unit": 1, "price_unit": 1200, "qyt": 2},
            Money(Decimal(2400), "JPY"),
            Money(Decimal(1200), "JPY"),
        ),
        (
            {"price_id": "KWD", "price_one_unit": 1000, "price_unit": 1, "qyt": 3},
            Money(Decimal("0.003"), "KWD"),
            Money(Decimal("0.001"), "KWD"),
        ),
        (
            {"price_one_unit": 8, "price_unit": 3, "qyt": 1},
            Money(Decimal("0.375"), "CNY"),
            Money(Decimal("0.375"), "CNY"),
        ),
    ],
)
async def test_a_price_is_exact(
    changed: dict[str, Any], amount: Money, unit_price: Money | None
) -> None:
    entry = await payment(**changed)

    assert isinstance(entry, Payment)
    assert entry.amount == amount
    assert unit_price is None or entry.unit_price == unit_price


@pytest.mark.parametrize(
    "changed",
    [
        {"price_id": "", "price_mark": "", "price_one_unit": one_unit, "price_unit": 300, "qyt": 2}
        for one_unit in (0, 1, 100, "", None)
    ]
    + [{"price_id": None, "price_mark": None, "price_unit": 300, "qyt": 2}],
)
async def test_a_price_in_points_is_never_divided(changed: dict[str, Any]) -> None:
    entry = await payment(**changed)

    assert isinstance(entry, Payment)
    assert entry.amount == Money(Decimal(600), "points", UnitKind.POINTS)
    assert entry.unit_price == Money(Decimal(300), "points", UnitKind.POINTS)


async def test_a_price_that_is_left_out_is_zero_and_no_unit_price() -> None:
    entry = await payment(price_unit=None)

    assert isinstance(entry, Payment)
    assert (entry.amount, entry.unit_price) == (Money(Decimal(0), "CNY"), None)


@pytest.mark.parametrize(
    "changed",
    [
        {"price_one_unit": 0},
        {"price_one_unit": -100},
        {"price_one_unit": None},
        {"price_one_unit": ""},
        {"price_one_unit": 3},
        {"price_id": "¥"},
        {"price_id": "cny"},
        {"price_id": "", "price_mark": "¥"},
        {"qyt": 2**40},
    ],
)
async def test_a_price_that_cannot_be_exact_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(UpstreamInvalidResponse):
        await payment(**changed)


async def test_the_ticket_is_nowhere_in_an_entry() -> None:
    entry = await payment(ticket="7e1c1d24-2f54-4b3a-9a54-5e6a1d2f9d11")

    assert "7e1c1d24" not in repr(entry)
    assert "ticket" not in repr(entry)


@pytest.mark.parametrize(
    ("status", "meant", "final"),
    [
        ("created", PaymentStatus.PENDING, False),
        ("paid", PaymentStatus.PAID, False),
        ("fulfilled", PaymentStatus.FULFILLED, True),
        ("fulfill_failed", PaymentStatus.FULFILLMENT_FAILED, False),
        ("canceled", PaymentStatus.CANCELED, True),
        ("parked", PaymentStatus.UNKNOWN, False),
    ],
)
async def test_every_status_has_its_meaning(
    status: str, meant: PaymentStatus, *, final: bool
) -> None:
    entry = await payment(status=status)

    assert isinstance(entry, Payment)
    assert (entry.status, entry.final) == (meant, final)
    assert entry.details["status"] == status


@pytest.mark.parametrize(
    ("number", "meant"),
    [
        (0, ProductKind.OTHER),
        (1, ProductKind.SHARE),
        (2, ProductKind.MEMBERSHIP),
        (3, ProductKind.STORAGE),
        (4, ProductKind.POINTS),
        (99, ProductKind.OTHER),
    ],
)
async def test_every_product_type_has_its_kind(number: int, meant: ProductKind) -> None:
    entry = await payment(product_type=number)

    assert isinstance(entry, Payment)
    assert entry.product_kind is meant


async def test_a_list_of_null_is_empty_and_ends_without_a_token() -> None:
    empty = {"code": 0, "data": {"pagination": {"page": 0, "page_size": 10}, "changes": None}}
    async with (
        upstream(replaying("cloudreve", credit_changes=empty)) as server,
        adapter("cloudreve", server.url) as provider,
    ):
        page = await provider.page(account(), CHANGES, None)

    assert (page.entries, page.next) == ((), None)


async def test_two_equal_changes_have_equal_digests_for_the_order_to_count() -> None:
    answer = recording("cloudreve", "credit-changes")
    answer["data"]["changes"] = answer["data"]["changes"][:1] * 2
    async with (
        upstream(replaying("cloudreve", credit_changes=as_json(answer))) as server,
        adapter("cloudreve", server.url) as provider,
    ):
        one, other = (await provider.page(account(), CHANGES, None)).entries

    assert one == other
