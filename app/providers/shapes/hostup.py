"""What HostUp v1 answers. Every value of an entry is a string; "0" and "" are none."""

from typing import Any

from msgspec import Raw, Struct, field

from app.providers.payload import CurrencyCode, LocalTime, SignedText, UnsignedText, known


class Envelope(Struct):
    success: bool
    timestamp: str
    request_id: str = field(name="requestId")
    data: Raw = Raw()


class Body(Struct, kw_only=True):
    """What is inside `data` beside what was asked for: a second `success`."""

    success: bool = True


class Edit(Struct):
    id: str
    date: str
    client_id: str
    in_: SignedText = field(name="in")
    out: SignedText
    balance: SignedText
    description: str
    transaction_id: str
    invoice_id: str

    def details(self) -> dict[str, Any]:
        return {
            "entry_id": self.id,
            "date": self.date,
            "client_id": self.client_id,
            "in_": self.in_,
            "out": self.out,
            "balance": self.balance,
            "description": known(self.description),
            "transaction_id": known(self.transaction_id, "0"),
            "invoice_id": known(self.invoice_id, "0"),
        }


class LogRow(Struct):
    id: str
    date: LocalTime
    client_id: str
    in_: UnsignedText = field(name="in")
    out: UnsignedText
    balance: SignedText
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

    def details(self) -> dict[str, Any]:
        return {
            "entry_id": self.id,
            "in_": self.in_,
            "out": self.out,
            "invoice_id": known(self.invoice_id, "0"),
            "transaction_id": known(self.transaction_id, "0"),
            "gateway_reference": known(self.transid),
            "currency_id": self.currency_id,
            "client_id": self.client_id,
            "client_first_name": known(self.firstname),
            "client_last_name": known(self.lastname),
            "brand_id": known(self.brand_id, "0"),
            "client_brand_id": known(self.client_brand_id, "0"),
            "admin_id": known(self.admin_id, "0"),
            "admin_name": known(self.admin_name),
            "edit": self.data_edit.details(),
        }


class CreditLog(Body):
    success: bool
    log: list[LogRow]
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
            "type": known(self.type),
            "method": known(self.module),
            "in_": self.in_,
            "out": self.out,
            "fee": self.fee,
            "invoice_id": known(self.invoice_id, "0"),
            "currency_id": self.currency_id,
            "client_id": known(self.client_id, "0"),
        }


class Transactions(Body):
    transactions: list[Transaction]
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
