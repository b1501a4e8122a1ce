"""Invented rows of a HostUp client."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from app.sandbox.history import Fields
from app.sandbox.timeline import EQUAL, STOCKHOLM, each_then_any, local

SEK = "0"
EUR = "1"
NONE = "0"
NOTHING = Decimal("0.00")

_LEAST_OF_A_CURRENCY = 2
_CURRENCY_CHANGED_AFTER = 4  # the first quarter of the rows is in EUR


class _Kind(NamedTuple):
    description: str
    sign: int
    has_invoice: bool
    is_paid: bool
    by_staff: bool


_KINDS = (
    _Kind("Credit added by payment", 1, has_invoice=True, is_paid=True, by_staff=False),
    _Kind("Credit applied to invoice", -1, has_invoice=True, is_paid=False, by_staff=False),
    _Kind("Refund of invoice", 1, has_invoice=True, is_paid=False, by_staff=False),
    _Kind("Manual credit adjustment", 1, has_invoice=False, is_paid=False, by_staff=True),
    _Kind("Manual credit adjustment", -1, has_invoice=False, is_paid=False, by_staff=True),
    _Kind("Kampanjbonus", 1, has_invoice=False, is_paid=False, by_staff=False),
    _Kind("Kredit använd på faktura", -1, has_invoice=True, is_paid=False, by_staff=False),
    _Kind("", 1, has_invoice=False, is_paid=False, by_staff=False),
)
_WEIGHTS = (30, 42, 6, 3, 3, 3, 12, 1)
_DEPOSIT = _KINDS[0]
_CHARGE = _KINDS[1]
_PAY_OUT = _Kind("Credit paid out", -1, has_invoice=False, is_paid=False, by_staff=True)

_ADDED = ("100.00", "150.00", "220.00", "300.00", "310.00", "44.00", "468.00", "5.00", "567.60")
_USED = ("123.75", "247.50", "290.00", "3.75", "310.00", "374.00", "39.00", "44.00", "61.43")
_STAFF = (("7", "Karin Stubbsund"), ("12", "Omar Granlöv"))

_MODULES = ("Stripe Checkout", "Swish", "Bankgiro", "PayPal")
_STATUSES = ("Success", "Refunded", "Pending", "Failed")
_STATUS_WEIGHTS = (82, 8, 6, 4)
_COMPANY_SHARE = 0.3


def log_rows(choices: random.Random, times: Sequence[datetime]) -> Iterator[Fields]:
    """Yield log rows without ids and holder, oldest first, never below a balance of zero.

    The client changed from EUR to SEK once, with nothing left over.
    """
    changed = len(times) // _CURRENCY_CHANGED_AFTER
    changed = changed if changed >= _LEAST_OF_A_CURRENCY else 0
    balance = NOTHING
    for number, at in enumerate(times):
        kind = each_then_any(choices, number, _KINDS, _WEIGHTS)
        amount = Decimal(choices.choice(_ADDED if kind.sign > 0 else _USED))
        if at == EQUAL or number == changed - 2:
            kind, amount = _DEPOSIT, Decimal("100.00")
        if number == changed - 1:
            kind, amount = _PAY_OUT, balance
        elif kind.sign < 0 and amount > balance:
            kind, amount = (_CHARGE, balance) if balance else (_DEPOSIT, Decimal("300.00"))
        balance += kind.sign * amount
        yield _log_row(choices, at, kind, amount, EUR if number < changed else SEK)


def _log_row(
    choices: random.Random, at: datetime, kind: _Kind, amount: Decimal, currency: str
) -> Fields:
    invoice = str(choices.randrange(30_000, 60_000))
    transaction = str(choices.randrange(20_000, 50_000))
    staff, staff_name = choices.choice(_STAFF)
    return {
        "date": local(at, STOCKHOLM),
        "in": f"{amount if kind.sign > 0 else NOTHING:.2f}",
        "out": f"{amount if kind.sign < 0 else NOTHING:.2f}",
        "description": kind.description,
        "invoice_id": invoice if kind.has_invoice else NONE,
        "transaction_id": transaction if kind.is_paid else NONE,
        "admin_id": staff if kind.by_staff else NONE,
        "admin_name": staff_name if kind.by_staff else "",
        "currency_id": currency,
        "transid": reference(choices, choices.choice(_MODULES)) if kind.is_paid else "",
    }


def transaction_rows(choices: random.Random, times: Sequence[datetime]) -> Iterator[Fields]:
    """Yield transactions without ids and holder, oldest first, in all statuses."""
    changed = len(times) // _CURRENCY_CHANGED_AFTER
    for number, at in enumerate(times):
        status = each_then_any(choices, number, _STATUSES, _STATUS_WEIGHTS)
        module = choices.choice(_MODULES)
        amount = Decimal(choices.choice(_ADDED))
        refunded = status == "Refunded"
        fee = amount / 100 * 2 if module in ("Stripe Checkout", "PayPal") else NOTHING
        yield {
            "in": f"{NOTHING if refunded else amount:.2f}",
            "out": f"{amount if refunded else NOTHING:.2f}",
            "fee": f"{NOTHING if refunded else fee:.2f}",
            "type": "invoice",
            "status": status,
            "date": local(at, STOCKHOLM),
            "description": "Refund" if refunded else "Invoice payment",
            "module": module,
            "trans_id": "" if status == "Pending" else reference(choices, module),
            "invoice_id": str(choices.randrange(30_000, 60_000)),
            "currency_id": EUR if number < changed else SEK,
            "companyname": "Föreningen Exempel" if choices.random() < _COMPANY_SHARE else "",
        }


def reference(choices: random.Random, module: str) -> str:
    """Return a payment gateway's reference in the gateway's own form."""
    number = choices.getrandbits(64)
    return f"pi_{number:016x}" if module == "Stripe Checkout" else f"{number:020d}"
