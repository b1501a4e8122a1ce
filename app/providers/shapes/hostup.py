"""What HostUp v1 answers. Every value of an entry is a string; "0" and "" are none."""

import re
from typing import Any

from msgspec import Raw, Struct, field

from app.providers.payload import (
    LOCAL_TIME,
    SIGNED,
    UNSIGNED,
    CurrencyCode,
    LocalTime,
    SignedText,
    UnsignedText,
)

# A row's texts are looked at together, as to look at each by a pattern of its own took six times as
# long as to read the row.
_EDITED = re.compile(rf"{SIGNED}\|{SIGNED}\|{SIGNED}")
_LOGGED = re.compile(rf"{LOCAL_TIME}\|{UNSIGNED}\|{UNSIGNED}\|{SIGNED}")
# What an id is, where that is not itself.
_ID: dict[str, str | None] = {"": None, "0": None}
_NO_SUCCESS = "no success"
_NO_AMOUNT = "one of a row's times and amounts is none"


class Envelope(Struct):
    success: bool
    timestamp: str
    request_id: str = field(name="requestId")
    data: Raw = Raw()


class Body(Struct, kw_only=True):
    """What is inside `data` beside what was asked for: a second `success`."""

    success: bool = True

    def __post_init__(self) -> None:
        if not self.success:
            raise ValueError(_NO_SUCCESS)


class Edit(Struct):
    id: str
    date: str
    client_id: str
    in_: str = field(name="in")
    out: str
    balance: str
    description: str
    transaction_id: str
    invoice_id: str

    def __post_init__(self) -> None:
        if not _EDITED.fullmatch(f"{self.in_}|{self.out}|{self.balance}"):
            raise ValueError(_NO_AMOUNT)

    def details(self) -> dict[str, Any]:
        return {
            "entry_id": self.id,
            "date": self.date,
            "client_id": self.client_id,
            "in_": self.in_,
            "out": self.out,
            "balance": self.balance,
            "description": self.description or None,
            "transaction_id": _ID.get(self.transaction_id, self.transaction_id),
            "invoice_id": _ID.get(self.invoice_id, self.invoice_id),
        }


class LogRow(Struct):
    id: str
    date: str
    client_id: str
    in_: str = field(name="in")
    out: str
    balance: str
    description: str
    invoice_id: str
    transaction_id: str
    admin_id: str
    admin_name: str
    firstname: str
    lastname: str
    currency_id: str
    transid: str
    brand_id: str
    client_brand_id: str
    data_edit: Edit

    def __post_init__(self) -> None:
        if not _LOGGED.fullmatch(f"{self.date}|{self.in_}|{self.out}|{self.balance}"):
            raise ValueError(_NO_AMOUNT)

    def details(self) -> dict[str, Any]:
        return {
            "entry_id": self.id,
            "in_": self.in_,
            "out": self.out,
            "invoice_id": _ID.get(self.invoice_id, self.invoice_id),
            "transaction_id": _ID.get(self.transaction_id, self.transaction_id),
            "gateway_reference": self.transid or None,
            "currency_id": self.currency_id,
            "client_id": self.client_id,
            "client_first_name": self.firstname or None,
            "client_last_name": self.lastname or None,
            "brand_id": _ID.get(self.brand_id, self.brand_id),
            "client_brand_id": _ID.get(self.client_brand_id, self.client_brand_id),
            "admin_id": _ID.get(self.admin_id, self.admin_id),
            "admin_name": self.admin_name or None,
            "edit": self.data_edit.details(),
        }


class CreditLog(Body):
    success: bool
    rows: list[LogRow] = field(name="log")
    has_more: bool = field(name="hasMore")


class Transaction(Struct):
    """Names of people and companies are in the answer too and are not even read."""

    id: str
    date: LocalTime
    in_: UnsignedText = field(name="in")
    out: UnsignedText
    fee: UnsignedText
    status: str
    currency_id: str
    description: str = ""
    type: str = ""
    module: str = ""
    trans_id: str = ""
    invoice_id: str = "0"
    client_id: str = ""

    def details(self) -> dict[str, Any]:
        return {
            "transaction_id": self.id,
            "status": self.status,
            "type": self.type or None,
            "method": self.module or None,
            "in_": self.in_,
            "out": self.out,
            "fee": self.fee,
            "invoice_id": _ID.get(self.invoice_id, self.invoice_id),
            "currency_id": self.currency_id,
            "client_id": _ID.get(self.client_id, self.client_id),
        }


class Transactions(Body):
    rows: list[Transaction] = field(name="transactions")
    has_more: bool = field(name="hasMore")


class Currency(Struct):
    id: str | int
    iso: CurrencyCode


class Currencies(Body):
    currencies: list[Currency]
    current_currency_id: str | int = field(name="currentCurrencyId")
    current_currency: Currency | None = field(name="currentCurrency", default=None)


class AccountSummary(Body):
    credit: SignedText
