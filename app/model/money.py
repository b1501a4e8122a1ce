"""Exact amounts with a unit."""

from decimal import Decimal
from enum import StrEnum

import msgspec


class UnitKind(StrEnum):
    CURRENCY = "CURRENCY"
    POINTS = "POINTS"


class Money(msgspec.Struct, frozen=True, array_like=True):
    """An exact amount in one unit; amounts in different units are never added.

    `unit` is an ISO 4217 code for CURRENCY and the provider's own name for POINTS.
    """

    amount: Decimal
    unit: str
    kind: UnitKind = UnitKind.CURRENCY


def plain(amount: Decimal) -> str:
    """Write a decimal with all its digits, without an exponent and without a negative zero."""
    text = str(amount)
    # That is several times as fast, and nearly always right.
    return text if amount and "E" not in text else format(amount or abs(amount), "f")
