"""Every documented field of an entry has its place in the schema, and its value arrives there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from adapters import account, adapter
from damage import leaves
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, get_named_type
from recordings import recording, replaying
from upstreams import upstream

from app.api.schema import sdl
from app.model.entries import Stream

CHANGES, PAYMENTS = Stream.CREDIT_CHANGES, Stream.PAYMENTS
# Who paid is not told of payments: the customer is known, and other names are personal data.
PERSONAL = frozenset({"firstname", "lastname", "companyname"})
SECRET = frozenset({"ticket"})
EDIT = "HostUpCreditChange.edit"


@dataclass(frozen=True)
class Document:
    """One kind of entry: its fixture, and by each documented field the path that shows it."""

    kind: str
    name: str
    stream: Stream
    rows: str
    shown: Mapping[str, str]
    hidden: frozenset[str] = frozenset()
    not_in_the_example: frozenset[str] = frozenset()


DOCUMENTS = (
    Document(
        "cloudreve",
        "credit-changes",
        CHANGES,
        "changes",
        {
            "changed_at": "CreditChange.occurredAt",
            "diff": "CreditChange.amount.amount",
            "reason": "CloudreveCreditChange.reason",
        },
    ),
    Document(
        "cloudreve",
        "payments",
        PAYMENTS,
        "payments",
        {
            "id": "CloudrevePayment.paymentId",
            "trade_no": "CloudrevePayment.tradeNo",
            "name": "Payment.product",
            "status": "CloudrevePayment.status",
            "qyt": "CloudrevePayment.quantity",
            "price_unit": "CloudrevePayment.priceUnit",
            "price_id": "CloudrevePayment.priceCurrency",
            "price_mark": "CloudrevePayment.priceMark",
            "price_one_unit": "CloudrevePayment.priceOneUnit",
            "created_at": "Payment.createdAt",
            "updated_at": "Payment.updatedAt",
            "product_type": "CloudrevePayment.productType",
        },
        hidden=SECRET,
        not_in_the_example=SECRET,
    ),
    Document(
        "hostup",
        "credit-log",
        CHANGES,
        "log",
        {
            "id": "HostUpCreditChange.entryId",
            "date": "CreditChange.occurredAt",
            "client_id": "HostUpCreditChange.clientId",
            "in": "HostUpCreditChange.in",
            "out": "HostUpCreditChange.out",
            "balance": "CreditChange.balanceAfter.amount",
            "description": "CreditChange.description",
            "invoice_id": "HostUpCreditChange.invoiceId",
            "transaction_id": "HostUpCreditChange.transactionId",
            "admin_id": "HostUpCreditChange.adminId",
            "admin_name": "HostUpCreditChange.adminName",
            "firstname": "HostUpCreditChange.clientFirstName",
            "lastname": "HostUpCreditChange.clientLastName",
            "currency_id": "HostUpCreditChange.currencyId",
            "transid": "HostUpCreditChange.gatewayReference",
            "brand_id": "HostUpCreditChange.brandId",
            "client_brand_id": "HostUpCreditChange.clientBrandId",
            "data_edit.id": f"{EDIT}.entryId",
            "data_edit.date": f"{EDIT}.date",
            "data_edit.client_id": f"{EDIT}.clientId",
            "data_edit.in": f"{EDIT}.in",
            "data_edit.out": f"{EDIT}.out",
            "data_edit.balance": f"{EDIT}.balance",
            "data_edit.description": f"{EDIT}.description",
            "data_edit.transaction_id": f"{EDIT}.transactionId",
            "data_edit.invoice_id": f"{EDIT}.invoiceId",
        },
    ),
    Document(
        "hostup",
        "transactions",
        PAYMENTS,
        "transactions",
        {
            "id": "HostUpPayment.transactionId",
            "in": "HostUpPayment.in",
            "out": "HostUpPayment.out",
            "fee": "HostUpPayment.fee",
            "type": "HostUpPayment.type",
            "status": "HostUpPayment.status",
            "date": "Payment.createdAt",
            "description": "Payment.product",
            "module": "HostUpPayment.method",
            "trans_id": "Payment.reference",
            "invoice_id": "HostUpPayment.invoiceId",
            "currency_id": "HostUpPayment.currencyId",
            "client_id": "HostUpPayment.clientId",
        },
        hidden=PERSONAL,
    ),
    Document(
        "carecloud",
        "credit-history",
        CHANGES,
        "credit_history",
        {
            "customer_id": "Account.externalId",
            "amount": "CreditChange.amount.amount",
            "credit_operation_type": "CareCloudCreditChange.operationType",
            "credit_operation_note": "CareCloudCreditChange.note",
            "partner_id": "CareCloudCreditChange.partnerId",
            "store_id": "CareCloudCreditChange.storeId",
            "currency_id": "CareCloudCreditChange.currencyId",
            "credit_history_record_time": "CreditChange.occurredAt",
        },
    ),
)
each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
# What the entry itself shows, by the names of the model.
OWN = {
    "CreditChange.description": "description",
    "CreditChange.amount.amount": "amount.amount",
    "CreditChange.balanceAfter.amount": "balance_after.amount",
    "Payment.product": "product",
    "Payment.reference": "reference",
}
READ_BY_ZONE = {"CreditChange.occurredAt", "Payment.createdAt", "Payment.updatedAt"}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


def has_path(schema: GraphQLSchema, path: str) -> bool:
    name, *fields = path.split(".")
    here: Any = schema.type_map.get(name)
    for field in fields:
        if not isinstance(here, GraphQLObjectType) or field not in here.fields:
            return False
        here = get_named_type(here.fields[field].type)
    return here is not None


@each_document
def test_every_field_of_the_document_is_in_the_table(document: Document) -> None:
    rows = recording(document.kind, document.name)["data"][document.rows]
    documented = {name.removeprefix("[].") for name in leaves(rows)} | document.not_in_the_example

    assert documented == set(document.shown) | document.hidden


@each_document
def test_every_path_of_the_table_is_in_the_schema(
    document: Document, schema: GraphQLSchema
) -> None:
    missing = [path for path in document.shown.values() if not has_path(schema, path)]

    assert missing == []
    assert not has_path(schema, "CreditChange.nothing")


def test_only_the_ticket_and_names_of_people_are_not_shown(schema: GraphQLSchema) -> None:
    hidden = {name for document in DOCUMENTS for name in document.hidden}

    assert hidden == PERSONAL | SECRET
    assert "ticket" not in "".join(map(str, schema.type_map)).lower()


@each_document
async def test_every_field_arrives_with_its_value(document: Document) -> None:
    rows = recording(document.kind, document.name)["data"][document.rows]
    async with (
        upstream(replaying(document.kind)) as server,
        adapter(document.kind, server.url) as provider,
    ):
        page = await provider.page(account(), document.stream, None)

    compared = 0
    for row, entry in zip(rows, page.entries, strict=True):
        for name, path in document.shown.items():
            if path in READ_BY_ZONE or path == "Account.externalId":
                continue
            given, found = _given(row, name), _found(entry, path)
            assert found == given, (name, path)
            compared += 1
    assert compared > len(rows)


def _given(row: Mapping[str, Any], name: str) -> str | None:
    """Return what a row says as text; None for what means that there is none."""
    value: Any = row
    for step in name.split("."):
        value = value.get(step)
    is_link = name.endswith("_id") and "currency" not in name
    nothing = value in ("", None) or (is_link and value == "0")
    return None if nothing else str(value)


def _found(entry: Any, path: str) -> str | None:  # noqa: ANN401 - an entry of either kind
    value: Any = entry
    if path in OWN:
        for step in OWN[path].split("."):
            value = getattr(value, step)
    else:
        value = entry.details
        for step in path.split(".")[1:]:
            value = value[_snake(step)]
    return None if value in (None, "") else str(value)


def _snake(name: str) -> str:
    spelled = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return "in_" if spelled == "in" else spelled
