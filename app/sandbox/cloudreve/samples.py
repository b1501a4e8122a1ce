"""Invented rows of a Cloudreve user."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from app.sandbox.history import Fields
from app.sandbox.timeline import EQUAL, each_then_any, with_offset

_EARNINGS = ("recharge", "share_purchased", "gift_code", "refund", "check_in")
_REASONS = ("recharge", "share_purchased", "pay", "adjust", "gift_code", "refund", "check_in")
_REASON_WEIGHTS = (18, 30, 34, 8, 4, 4, 2)

_STATUSES = ("fulfilled", "created", "paid", "fulfill_failed", "canceled")
_STATUS_WEIGHTS = (70, 8, 8, 4, 10)

_EVERY_WITHOUT_PRICE = 37
_EVERY_NULL_PRICE = 41


class _Product(NamedTuple):
    name: str
    kind: int
    price: int
    quantities: tuple[int, ...]
    currency: str
    mark: str
    one_unit: int


_PRODUCTS = (
    _Product("Points", 4, 1, (100, 500, 1000, 2000), "CNY", "¥", 100),
    _Product("Basic Storage", 3, 500, (1,), "CNY", "¥", 100),
    _Product("Pro Membership", 2, 990, (1, 3, 12), "USD", "$", 100),
    _Product("Field Recordings.zip", 1, 300, (1,), "", "", 1),
    _Product("Archive Storage", 3, 1200, (1, 2), "JPY", "¥", 1),
    _Product("Team Membership", 2, 1490, (1, 12), "EUR", "€", 100),
    _Product("Photo Presets", 1, 450, (1,), "CNY", "¥", 100),
    _Product("Legacy Pack", 0, 250, (1, 2), "CNY", "¥", 100),
    _Product("Extra Space", 3, 800, (1, 5), "", "", 1),
)
_PRODUCT_WEIGHTS = (40, 12, 10, 12, 6, 6, 6, 3, 5)

_POINT_PRICES = (
    {"price_id": "", "price_mark": "", "price_one_unit": 1},
    {"price_id": "", "price_mark": "", "price_one_unit": 0},
    {"price_id": "", "price_mark": ""},
    {"price_id": "", "price_mark": None, "price_one_unit": 0},
    {"price_one_unit": 1},
)


def changes(choices: random.Random, times: Sequence[datetime]) -> Iterator[tuple[datetime, Fields]]:
    """Yield credit changes, oldest first; the sum of their `diff` never falls below zero."""
    credit = 0
    for number, at in enumerate(times):
        reason, diff = _change(choices, number, credit)
        if at == EQUAL:
            reason, diff = "share_purchased", 800
        credit += diff
        yield at, {"changed_at": with_offset(at), "diff": diff, "reason": reason}


def _change(choices: random.Random, number: int, credit: int) -> tuple[str, int]:
    reason = each_then_any(choices, number, _REASONS, _REASON_WEIGHTS)
    if reason == "pay" and credit > 0:
        return reason, -min(credit, choices.choice((50, 120, 300, 450, 800)))
    if reason == "adjust":
        return reason, choices.choice((-1, 5, 50)) if credit > 0 else 50
    if reason == "recharge":
        return reason, choices.choice((100, 500, 1000, 2000))
    if reason == "pay":
        reason = choices.choice(_EARNINGS)
    return reason, choices.choice((10, 80, 240, 300, 800))


def payments(
    choices: random.Random, times: Sequence[datetime]
) -> Iterator[tuple[datetime, Fields]]:
    """Yield payments without their ids, oldest first, of all products and in all statuses."""
    for number, at in enumerate(times):
        product = each_then_any(choices, number, _PRODUCTS, _PRODUCT_WEIGHTS)
        status = each_then_any(choices, number, _STATUSES, _STATUS_WEIGHTS)
        updated = at if status == "created" else at + timedelta(seconds=choices.randrange(5, 900))
        fields = {
            "trade_no": trade_number(choices, at),
            "name": product.name,
            "status": status,
            "qyt": choices.choice(product.quantities),
            "price_unit": product.price,
            **_price(product, number),
            "created_at": with_offset(at),
            "updated_at": with_offset(updated),
            "product_type": product.kind,
        }
        if number % _EVERY_WITHOUT_PRICE == _EVERY_WITHOUT_PRICE - 1:
            del fields["price_unit"]
        elif number % _EVERY_NULL_PRICE == _EVERY_NULL_PRICE - 1:
            fields["price_unit"] = None
        if product.kind == 1 and product.currency:
            fields["ticket"] = str(UUID(int=choices.getrandbits(128), version=4))
        yield at, fields


def _price(product: _Product, number: int) -> Fields:
    if not product.currency:
        return dict(_POINT_PRICES[number % len(_POINT_PRICES)])
    return {
        "price_id": product.currency,
        "price_mark": product.mark,
        "price_one_unit": product.one_unit,
    }


def trade_number(choices: random.Random, at: datetime) -> str:
    """Return a digit string that begins with the time, as the provider's do."""
    digits = with_offset(at)[:19].translate(str.maketrans("", "", "-T:"))
    return f"{digits}{choices.randrange(10**12):012d}"
