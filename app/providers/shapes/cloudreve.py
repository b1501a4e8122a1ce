"""What Cloudreve v4 answers. Go leaves empty values out, so most fields may be absent."""

from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from app.providers.payload import CurrencyCodeOrNone, Instant, Int32, Points, Token


class Envelope(Struct):
    """The outcome; `data` has the shape of what was asked for only where `code` is 0."""

    code: Int32
    data: Raw = Raw()
    msg: str = ""
    error: str | None = None
    correlation_id: str | None = None


class Pagination(Struct):
    page: int
    page_size: int
    next_token: str | None = None
    is_cursor: bool = False
    total_items: int | None = None


class Change(Struct):
    changed_at: Instant
    diff: Points
    reason: str


class Changes(Struct):
    pagination: Pagination
    changes: list[Change] | None


class Payment(Struct):
    id: str
    trade_no: str
    name: str
    status: str
    qyt: Int32
    product_type: Int32
    created_at: Instant
    updated_at: Instant
    price_unit: Int32 | None = None
    price_id: CurrencyCodeOrNone | None = None
    price_mark: str | None = None
    price_one_unit: Int32 | Literal[""] | None = None
    ticket: str | None = None

    def details(self) -> dict[str, Any]:
        """Keep every documented field but `ticket`, which opens the share that was bought."""
        return {
            "payment_id": self.id,
            "trade_no": self.trade_no,
            "status": self.status,
            "quantity": self.qyt,
            "price_unit": self.price_unit,
            "price_one_unit": None if self.price_one_unit == "" else self.price_one_unit,
            "price_currency": self.price_id or None,
            "price_mark": self.price_mark or None,
            "product_type": self.product_type,
        }


class Payments(Struct):
    pagination: Pagination
    payments: list[Payment] | None


class Tokens(Struct):
    access_token: Token
    refresh_token: Token
    access_expires: Instant
    refresh_expires: Instant


class Preferences(Struct):
    """Go may leave a credit of zero out; then another field has to tell what this is."""

    credit: Points | UnsetType = UNSET
    version_retention_enabled: bool | UnsetType = UNSET
