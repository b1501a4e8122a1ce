"""What CareCloud REST v1.0 answers. Its schema requires no field of an entry."""

from typing import Annotated, Any

from msgspec import Meta, Raw, Struct

from app.providers.payload import CurrencyCode, LocalTime, Token


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
    bearer_token: Token
    valid_to: LocalTime


class Record(Struct):
    """An entry without a time or an amount is none, so these two are asked for all the same.

    Amounts are JSON floats, kept as they are written for `exact` to read.
    """

    credit_history_record_time: LocalTime
    amount: Raw
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
    total_items: Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Currency(Struct):
    currency_id: str
    code: CurrencyCode


class Currencies(Struct):
    currencies: list[Currency]


class CurrencyCredits(Struct):
    currency_id: str
    available_credits: Raw


class CreditsOverview(Struct):
    split_by_currency: list[CurrencyCredits]
