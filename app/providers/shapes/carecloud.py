"""What CareCloud REST v1.0 answers. Its schema requires no field of an entry."""

from decimal import Decimal
from typing import Any

from msgspec import Raw, Struct

from app.providers.payload import CurrencyCode, LocalTime


class Envelope(Struct):
    data: Raw


class InvalidParameter(Struct):
    reason: str = ""


class ErrorData(Struct):
    invalid_params: list[InvalidParameter] = []


class Problem(Struct):
    error_data: ErrorData | None = None


class Refusal(Struct):
    error: Problem | None = None


class Login(Struct):
    bearer_token: str
    valid_to: LocalTime


class Record(Struct):
    """An entry without a time or an amount is none, so these two are asked for all the same."""

    credit_history_record_time: LocalTime
    amount: Decimal
    customer_id: str | None = None
    credit_operation_type: str | None = None
    credit_operation_note: str | None = None
    partner_id: str | None = None
    store_id: str | None = None
    currency_id: str | None = None

    def details(self) -> dict[str, Any]:
        return {
            "operation_type": self.credit_operation_type,
            "note": self.credit_operation_note,
            "store_id": self.store_id,
            "partner_id": self.partner_id,
            "currency_id": self.currency_id,
        }


class CreditHistory(Struct):
    credit_history: list[Record]
    total_items: int


class Currency(Struct):
    currency_id: str
    code: CurrencyCode


class Currencies(Struct):
    currencies: list[Currency]


class CurrencyCredits(Struct):
    currency_id: str
    available_credits: Decimal


class CreditsOverview(Struct):
    split_by_currency: list[CurrencyCredits]
