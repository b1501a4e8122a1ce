"""Invented records of a CareCloud customer."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from app.sandbox.history import Fields
from app.sandbox.people import digits
from app.sandbox.timeline import EQUAL, PRAGUE, each_then_any, local

CZK = "86e05affc7a7abefcd513ab400"
EUR = "86e05affc7a7abefcd513ab401"
CURRENCIES = {CZK: "CZK", EUR: "EUR"}


class Operation(NamedTuple):
    """The name of an operation in the two languages of the project."""

    czech: str
    english: str


DEPOSIT = Operation("Ručně přičtené kredity", "Manually added credits")
REDUCTION = Operation("Ručně odečtené kredity", "Manually deducted credits")
TOP_UP = Operation("Dobití kreditů", "Credit top-up")
PAYMENT = Operation("Platba kredity", "Payment by credits")
REFUND = Operation("Vrácení nákupu", "Purchase refund")
RECEIVED = Operation("Převod kreditů", "Credit transfer")
EXPIRY = Operation("Expirace kreditů", "Credit expiration")
BIRTHDAY = Operation("Narozeninový bonus", "Birthday bonus")

_OPERATIONS = (
    *((TOP_UP, 1), (PAYMENT, -1), (DEPOSIT, 1), (REDUCTION, -1), (REFUND, 1), (RECEIVED, 1)),
    *((RECEIVED, -1), (EXPIRY, -1), (BIRTHDAY, 1)),
)
_WEIGHTS = (24, 38, 8, 5, 8, 5, 4, 4, 4)
_AMOUNTS = {
    CZK: ("20", "50", "99.9", "120.5", "250", "349.99", "500", "1000"),
    EUR: ("0.1", "0.2", "2.35", "5", "10.75", "25"),
}
_CURRENCY_WEIGHTS = (80, 20)
_NOTES = (
    *("Reklamace 2024-117", "Kompenzace za zpoždění", "Summer campaign", "", None),
    *("Účtenka 88213", "Goodwill", "Zákaznická linka"),
)
_ABSENT_SHARE = 0.12
_STORES = tuple(digits(26, "store", number) for number in range(4))
_PARTNERS = tuple(digits(26, "partner", number) for number in range(2))


def records(
    choices: random.Random, times: Sequence[datetime], customer_id: str
) -> Iterator[Fields]:
    """Yield records, oldest first; no currency's sum ever falls below zero."""
    available = dict.fromkeys(CURRENCIES, Decimal(0))
    previous: Fields = {}
    for number, at in enumerate(times):
        currency = choices.choices(tuple(CURRENCIES), _CURRENCY_WEIGHTS)[0]
        operation, sign = each_then_any(choices, number, _OPERATIONS, _WEIGHTS)
        amount = Decimal(choices.choice(_AMOUNTS[currency]))
        if sign < 0:
            amount = min(amount, available[currency])
        if not amount or (at == EQUAL and sign < 0):
            operation, sign, amount = TOP_UP, 1, Decimal(_AMOUNTS[currency][-1])
        record = {
            "customer_id": customer_id,
            "amount": sign * amount,
            "credit_operation_type": operation,
            **_optional(choices),
            "currency_id": currency,
            "credit_history_record_time": local(at, PRAGUE),
        }
        if at == EQUAL and previous.get("credit_history_record_time") == local(at, PRAGUE):
            record = dict(previous)
        available[record["currency_id"]] += record["amount"]
        yield record
        previous = record


def _optional(choices: random.Random) -> Fields:
    fields = {
        "credit_operation_note": choices.choice(_NOTES),
        "partner_id": choices.choice(_PARTNERS),
        "store_id": choices.choice(_STORES),
    }
    return {name: value for name, value in fields.items() if choices.random() >= _ABSENT_SHARE}
