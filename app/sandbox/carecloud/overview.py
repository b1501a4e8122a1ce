"""Sums of a CareCloud customer's credits."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from app.sandbox.carecloud.account import TIME_FIELD, number
from app.sandbox.history import Row, exact


def overview(rows: Iterable[Row], date_from: str, date_to: str) -> dict[str, Any]:
    """Return earned and redeemed credits of a range of days, and what is available now.

    The top level adds different currencies, as the provider does; empty days mean no bound.
    """
    split: dict[str, list[Row]] = {}
    for row in rows:
        split.setdefault(str(row.fields.get("currency_id")), []).append(row)
    by_currency = {name: _sums(some, date_from, date_to) for name, some in split.items()}
    whole = [sum(sums, Decimal(0)) for sums in zip(*by_currency.values(), strict=True)]
    return {
        **_named(whole or [Decimal(0)] * 3),
        "split_by_currency": [
            {"currency_id": name, **_named(sums)} for name, sums in sorted(by_currency.items())
        ],
    }


def _sums(rows: list[Row], date_from: str, date_to: str) -> list[Decimal]:
    amounts = [(_day(row), exact(row.fields.get("amount", 0))) for row in rows]
    inside = [
        amount
        for day, amount in amounts
        if (not date_from or day >= date_from) and (not date_to or day <= date_to)
    ]
    return [
        sum((amount for amount in inside if amount > 0), Decimal(0)),
        -sum((amount for amount in inside if amount < 0), Decimal(0)),
        sum((amount for _, amount in amounts), Decimal(0)),
    ]


def _day(row: Row) -> str:
    return str(row.fields.get(TIME_FIELD) or "")[:10]


def _named(sums: list[Decimal]) -> dict[str, float]:
    names = ("earned_credits", "redeemed_credits", "available_credits")
    return {name: number(amount) for name, amount in zip(names, sums, strict=True)}
