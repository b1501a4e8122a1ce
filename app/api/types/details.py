"""What only one provider knows of an entry; one type for each provider and stream."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any

import strawberry

from app.model.accounts import ProviderKind


@strawberry.type(description="What only Cloudreve knows of a credit change.")
class CloudreveCreditChange:
    reason: str = strawberry.field(
        description="Cloudreve's own word, such as `recharge`, `pay`, `share_purchased` or "
        "`adjust`."
    )


@strawberry.type(description="A row of HostUp's credit log, as its edit form holds it.")
class HostUpCreditChangeEdit:
    entry_id: str
    date: str = strawberry.field(
        description="A day, without a time or a zone, as the provider writes it."
    )
    client_id: str
    in_: Decimal = strawberry.field(name="in")
    out: Decimal
    balance: Decimal = strawberry.field(description="What the account holds after the change.")
    description: str | None
    transaction_id: str | None
    invoice_id: str | None


@strawberry.type(description="What only HostUp knows of a credit change: a row of its credit log.")
class HostUpCreditChange:
    entry_id: str = strawberry.field(description="HostUp's own id of the row.")
    in_: Decimal = strawberry.field(
        name="in",
        description="Credit that was added, never negative; the amount is `in` minus `out`.",
    )
    out: Decimal = strawberry.field(description="Credit that was taken, never negative.")
    invoice_id: str | None = strawberry.field(
        description="HostUp's own id of the invoice; null when there is none."
    )
    transaction_id: str | None = strawberry.field(
        description="HostUp's own id of the transaction; null when there is none."
    )
    gateway_reference: str | None = strawberry.field(
        description="The payment gateway's reference (transid)."
    )
    currency_id: str = strawberry.field(
        description="HostUp's own id of the currency; the amount's unit is its code."
    )
    client_id: str = strawberry.field(
        description="HostUp's own id of the client whose credit it is."
    )
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


@strawberry.type(
    description="What only CareCloud knows of a credit change; null stands for what it does not "
    "tell."
)
class CareCloudCreditChange:
    operation_type: str | None = strawberry.field(
        description="The operation in CareCloud's own words, in the language that the operator "
        "chose."
    )
    note: str | None
    store_id: str | None
    partner_id: str | None
    currency_id: str | None = strawberry.field(
        description="CareCloud's own id of the currency; without one the amount's unit is "
        "`credits`."
    )


@strawberry.type(description="What only Cloudreve knows of a payment.")
class CloudrevePayment:
    payment_id: str = strawberry.field(description="Cloudreve's own id of the payment.")
    trade_no: str = strawberry.field(description="The number that `Payment.reference` gives.")
    status: str = strawberry.field(
        description="Cloudreve's own word: `created`, `paid`, `fulfilled`, `fulfill_failed` or "
        "`canceled`."
    )
    quantity: int
    price_unit: int | None = strawberry.field(
        description="The price of one item in points, or in the smallest parts of the currency; "
        "null when Cloudreve leaves it out, as it may a zero."
    )
    price_one_unit: int | None = strawberry.field(
        description="How many of the smallest parts make one of the currency, such as 100; null "
        "when Cloudreve tells none, as for points."
    )
    price_currency: str | None = strawberry.field(
        description="An ISO 4217 code; null when the price is in points."
    )
    price_mark: str | None = strawberry.field(
        description="The currency's symbol; null when Cloudreve tells none."
    )
    product_type: int = strawberry.field(
        description="Cloudreve's own number: 1 a share, 2 a membership, 3 storage, 4 points."
    )


@strawberry.type(description="What only HostUp knows of a payment: one of its transactions.")
class HostUpPayment:
    transaction_id: str = strawberry.field(description="HostUp's own id of the transaction.")
    status: str = strawberry.field(
        description="HostUp's own word, which `Payment.status` translates."
    )
    type: str | None = strawberry.field(
        description="HostUp's own word for what was paid; null when it tells none."
    )
    method: str | None = strawberry.field(
        description="HostUp's own name of the way it was paid; null when it tells none."
    )
    in_: Decimal = strawberry.field(
        name="in",
        description="What was paid, never negative; the amount is `in` minus `out`.",
    )
    out: Decimal = strawberry.field(description="What was paid back, never negative.")
    fee: Decimal = strawberry.field(
        description="The payment's fee, never negative; no part of the amount."
    )
    invoice_id: str | None = strawberry.field(
        description="HostUp's own id of the invoice; null when there is none."
    )
    currency_id: str = strawberry.field(
        description="HostUp's own id of the currency; the amount's unit is its code."
    )
    client_id: str | None


CreditChangeDetails = Annotated[
    CloudreveCreditChange | HostUpCreditChange | CareCloudCreditChange,
    strawberry.union(
        "CreditChangeDetails",
        description="What only one provider knows of a credit change, by the provider's kind.",
    ),
]
PaymentDetails = Annotated[
    CloudrevePayment | HostUpPayment,
    strawberry.union(
        "PaymentDetails",
        description="What only one provider knows of a payment, by the provider's kind.",
    ),
]


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
