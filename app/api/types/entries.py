"""Credit changes and payments as the schema shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from app.api.compiling.readings import SHARED
from app.api.ids import NodeKind, written_entry
from app.api.types.details import (
    CREDIT_CHANGE_DETAILS,
    PAYMENT_DETAILS,
    CreditChangeDetails,
    PaymentDetails,
)
from app.api.types.money import Money
from app.api.types.node import Node
from app.api.types.reading import read
from app.model import entries

if TYPE_CHECKING:
    from app.api.types.accounts import Account

LazyAccount = Annotated["Account", strawberry.lazy("app.api.types.accounts")]

_ZONE_ASSUMED = (
    "True when the provider gave a local time and the configured zone was used to read it."
)


@strawberry.type(description="One change of the credit on an account.")
class CreditChange(Node):
    __kept_by__ = ("entry", "account")

    entry: strawberry.Private[entries.CreditChange]
    account: LazyAccount = strawberry.field(metadata={SHARED: True})
    id: strawberry.ID = read(
        lambda self: written_entry(NodeKind.CREDIT_CHANGE, self.account.record.id, self.entry.id)
    )
    occurred_at: datetime = read("entry.at")
    zone_assumed: bool = read("entry.zone_assumed", _ZONE_ASSUMED)
    amount: Money = read(
        "entry.amount",
        "Signed: positive when the customer received credit, negative when it was used.",
    )
    balance_after: Money | None = read(
        "entry.balance_after",
        "The account's balance after this change, where the provider says.",
    )
    kind: entries.CreditChangeKind = read(
        "entry.kind",
        "What the change was for, as far as the provider's word for it tells.",
    )
    reason: str = read("entry.reason", "The provider's own word for why.")
    description: str | None = read("entry.description")
    details: CreditChangeDetails = read(
        lambda self: CREDIT_CHANGE_DETAILS[self.account.kind](self.entry.details),
        "What only this provider knows.",
    )

    @classmethod
    def of(cls, entry: entries.CreditChange, account: "Account") -> Self:
        return cls(entry=entry, account=account)


@strawberry.type(description="One payment at a provider, whatever has become of it.")
class Payment(Node):
    __kept_by__ = ("entry", "account")

    entry: strawberry.Private[entries.Payment]
    account: LazyAccount = strawberry.field(metadata={SHARED: True})
    id: strawberry.ID = read(
        lambda self: written_entry(NodeKind.PAYMENT, self.account.record.id, self.entry.id)
    )
    created_at: datetime = read("entry.at")
    updated_at: datetime | None = read(
        "entry.updated_at",
        "When it last changed; null when the provider does not tell.",
    )
    zone_assumed: bool = read("entry.zone_assumed", _ZONE_ASSUMED)
    product: str = read("entry.product", "What was bought.")
    product_kind: entries.ProductKind = read(
        "entry.product_kind",
        "What kind of thing was bought, as far as the provider tells.",
    )
    status: entries.PaymentStatus = read("entry.status")
    amount: Money = read("entry.amount", "The whole payment: unit price times quantity.")
    quantity: int = read("entry.quantity", "How many of the product were bought.")
    unit_price: Money | None = read(
        "entry.unit_price",
        "The price of one; null when the provider does not tell.",
    )
    reference: str | None = read(
        "entry.reference", "The provider's or the payment gateway's reference."
    )
    details: PaymentDetails = read(
        lambda self: PAYMENT_DETAILS[self.account.kind](self.entry.details),
        "What only this provider knows.",
    )

    @classmethod
    def of(cls, entry: entries.Payment, account: "Account") -> Self:
        return cls(entry=entry, account=account)
