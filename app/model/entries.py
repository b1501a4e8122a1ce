"""Entries: credit changes and payments, as providers tell them and as mirrors keep them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.model.money import Money


class Stream(StrEnum):
    CREDIT_CHANGES = "credit_changes"
    PAYMENTS = "payments"


class CreditChangeKind(StrEnum):
    TOP_UP = "TOP_UP"
    SPEND = "SPEND"
    EARNING = "EARNING"
    REFUND = "REFUND"
    TRANSFER = "TRANSFER"
    ADJUSTMENT = "ADJUSTMENT"
    EXPIRY = "EXPIRY"
    OTHER = "OTHER"


class ProductKind(StrEnum):
    POINTS = "POINTS"
    STORAGE = "STORAGE"
    MEMBERSHIP = "MEMBERSHIP"
    SHARE = "SHARE"
    INVOICE = "INVOICE"
    OTHER = "OTHER"


class PaymentStatus(StrEnum):
    PENDING = "PENDING"
    PAID = "PAID"
    FULFILLED = "FULFILLED"
    FULFILLMENT_FAILED = "FULFILLMENT_FAILED"
    CANCELED = "CANCELED"
    REFUNDED = "REFUNDED"
    UNKNOWN = "UNKNOWN"


class Entry(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What every entry has.

    `id` is permanent within its account and stream: the provider's own, or for providers
    without ids a digest of what was given, which `ordered` completes by an ordinal among equal
    rows. `at` is aware and in UTC. A local time in the hour that occurs twice is given as the
    first of the two, with the second as `at_second`, until its place in the list decides.
    `position` counts the entries of one second from the oldest; it is 0 until `ordered` set it.
    `details` holds what only this provider knows, by the field names of its GraphQL type,
    decimals as strings.
    """

    id: str
    has_own_id: bool
    at: datetime
    at_second: datetime | None = None
    zone_assumed: bool
    position: int = 0
    amount: Money
    details: Mapping[str, Any]


class CreditChange(Entry, frozen=True, kw_only=True, array_like=True):
    """A change of credit; `amount` is positive when the customer received credit."""

    kind: CreditChangeKind
    reason: str
    description: str | None = None
    balance_after: Money | None = None


class Payment(Entry, frozen=True, kw_only=True, array_like=True):
    """A payment; `amount` is the whole of it. `final` is False while its status may change."""

    product: str
    product_kind: ProductKind
    status: PaymentStatus
    quantity: int
    final: bool
    unit_price: Money | None = None
    reference: str | None = None
    updated_at: datetime | None = None
