"""What only one provider knows of an entry; one type for each provider and stream."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.model.accounts import ProviderKind


@strawberry.type
class CloudreveCreditChange:
    reason: str


@strawberry.type
class HostUpCreditChangeEdit:
    entry_id: str
    date: str = strawberry.field(
        description="A day, without a time or a zone, as the provider writes it."
    )
    client_id: str
    in_: Decimal = strawberry.field(name="in")
    out: Decimal
    balance: Decimal
    description: str | None
    transaction_id: str | None
    invoice_id: str | None


@strawberry.type
class HostUpCreditChange:
    entry_id: str
    in_: Decimal = strawberry.field(name="in")
    out: Decimal
    invoice_id: str | None
    transaction_id: str | None
    gateway_reference: str | None = strawberry.field(
        description="The payment gateway's reference (transid)."
    )
    currency_id: str
    client_id: str
    client_first_name: str | None
    client_last_name: str | None
    brand_id: str | None
    client_brand_id: str | None
    admin_id: str | None = strawberry.field(
        description="The member of the provider's staff who made the change, when one did."
    )
    admin_name: str | None
    edit: HostUpCreditChangeEdit | None = strawberry.field(
        description="The same row as the provider's edit form holds it (data_edit)."
    )


@strawberry.type
class CareCloudCreditChange:
    operation_type: str | None
    note: str | None
    store_id: str | None
    partner_id: str | None
    currency_id: str | None


@strawberry.type
class CloudrevePayment:
    payment_id: str
    trade_no: str
    status: str
    quantity: int
    price_unit: int | None
    price_one_unit: int | None
    price_currency: str | None
    price_mark: str | None
    product_type: int


@strawberry.type
class HostUpPayment:
    transaction_id: str
    status: str
    type: str | None
    method: str | None
    in_: Decimal = strawberry.field(name="in")
    out: Decimal
    fee: Decimal
    invoice_id: str | None
    currency_id: str
    client_id: str | None


CreditChangeDetails = Annotated[
    CloudreveCreditChange | HostUpCreditChange | CareCloudCreditChange,
    strawberry.union("CreditChangeDetails"),
]
PaymentDetails = Annotated[CloudrevePayment | HostUpPayment, strawberry.union("PaymentDetails")]


def _hostup_change(kept: Mapping[str, Any]) -> HostUpCreditChange:
    edit = kept["edit"]
    return HostUpCreditChange(
        **{
            **_decimals(kept, "in_", "out"),
            "edit": HostUpCreditChangeEdit(**_decimals(edit, "in_", "out", "balance")),
        }
    )


def _hostup_payment(kept: Mapping[str, Any]) -> HostUpPayment:
    return HostUpPayment(**_decimals(kept, "in_", "out", "fee"))


def _decimals(kept: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**kept, **{name: Decimal(kept[name]) for name in names}}


CREDIT_CHANGE_DETAILS: dict[ProviderKind, Callable[[Mapping[str, Any]], CreditChangeDetails]] = {
    ProviderKind.CLOUDREVE: lambda kept: CloudreveCreditChange(**kept),
    ProviderKind.HOSTUP: _hostup_change,
    ProviderKind.CARECLOUD: lambda kept: CareCloudCreditChange(**kept),
}
PAYMENT_DETAILS: dict[ProviderKind, Callable[[Mapping[str, Any]], PaymentDetails]] = {
    ProviderKind.CLOUDREVE: lambda kept: CloudrevePayment(**kept),
    ProviderKind.HOSTUP: _hostup_payment,
}
