"""Credit changes and payments as the schema shows them."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from app.api.ids import NodeId, NodeKind, written
from app.api.types.details import (
    CREDIT_CHANGE_DETAILS,
    PAYMENT_DETAILS,
    CreditChangeDetails,
    PaymentDetails,
)
from app.api.types.money import Money
from app.api.types.node import Node
from app.model import entries

if TYPE_CHECKING:
    from app.api.types.accounts import Account

LazyAccount = Annotated["Account", strawberry.lazy("app.api.types.accounts")]


@strawberry.type(description="One change of the credit on an account.")
class CreditChange(Node):
    id: strawberry.ID
    account: LazyAccount
    occurred_at: datetime
    zone_assumed: bool = strawberry.field(
        description="True when the provider gave a local time and the configured zone was used to "
        "read it."
    )
    amount: Money = strawberry.field(
        description="Signed: positive when the customer received credit, negative when it was used."
    )
    balance_after: Money | None = strawberry.field(
        description="The account's balance after this change, where the provider says."
    )
    kind: entries.CreditChangeKind = strawberry.field(
        description="What the change was for, as far as the provider's word for it tells."
    )
    reason: str = strawberry.field(description="The provider's own word for why.")
    description: str | None
    details: CreditChangeDetails = strawberry.field(description="What only this provider knows.")

    @classmethod
    def of(cls, entry: entries.CreditChange, account: "Account") -> Self:
        node = NodeId(NodeKind.CREDIT_CHANGE, account.record.id, entry.id)
        return cls(
            id=strawberry.ID(written(node)),
            account=account,
            occurred_at=entry.at,
            zone_assumed=entry.zone_assumed,
            amount=Money.of(entry.amount),
            balance_after=Money.maybe(entry.balance_after),
            kind=entry.kind,
            reason=entry.reason,
            description=entry.description,
            details=CREDIT_CHANGE_DETAILS[account.kind](entry.details),
        )


@strawberry.type(description="One payment at a provider, whatever has become of it.")
class Payment(Node):
    id: strawberry.ID
    account: LazyAccount
    created_at: datetime
    updated_at: datetime | None = strawberry.field(
        description="When it last changed; null when the provider does not tell."
    )
    zone_assumed: bool = strawberry.field(
        description="True when the provider gave a local time and the configured zone was used to "
        "read it."
    )
    product: str = strawberry.field(description="What was bought.")
    product_kind: entries.ProductKind = strawberry.field(
        description="What kind of thing was bought, as far as the provider tells."
    )
    status: entries.PaymentStatus
    amount: Money = strawberry.field(description="The whole payment: unit price times quantity.")
    quantity: int = strawberry.field(description="How many of the product were bought.")
    unit_price: Money | None = strawberry.field(
        description="The price of one; null when the provider does not tell."
    )
    reference: str | None = strawberry.field(
        description="The provider's or the payment gateway's reference."
    )
    details: PaymentDetails = strawberry.field(description="What only this provider knows.")

    @classmethod
    def of(cls, entry: entries.Payment, account: "Account") -> Self:
        node = NodeId(NodeKind.PAYMENT, account.record.id, entry.id)
        return cls(
            id=strawberry.ID(written(node)),
            account=account,
            created_at=entry.at,
            updated_at=entry.updated_at,
            zone_assumed=entry.zone_assumed,
            product=entry.product,
            product_kind=entry.product_kind,
            status=entry.status,
            amount=Money.of(entry.amount),
            quantity=entry.quantity,
            unit_price=Money.maybe(entry.unit_price),
            reference=entry.reference,
            details=PAYMENT_DETAILS[account.kind](entry.details),
        )
