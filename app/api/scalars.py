"""Scalars that lose nothing: decimals as strings, instants in UTC."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import strawberry
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.types.scalar import ScalarDefinition

from app.model.instants import written
from app.model.money import plain

_DECIMAL = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


def _decimal(given: object) -> Decimal:
    if isinstance(given, str) and _DECIMAL.fullmatch(given):
        return Decimal(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return Decimal(given)
    raise StrawberryInputCoercionError(
        'A Decimal is written as a string such as "-39.00", without an exponent.'
    )


def _date_time(given: object) -> datetime:
    if isinstance(given, str) and _DATE_TIME.fullmatch(given):
        try:
            return datetime.fromisoformat(given.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise StrawberryInputCoercionError(
        'A DateTime is written as RFC 3339 with an offset, such as "2026-02-09T23:00:00Z".'
    )


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number as a string, for example "-39.00". Never a float.',
        serialize=plain,
        parse_value=_decimal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='An instant: RFC 3339 in UTC, for example "2026-02-09T23:00:00Z".',
        serialize=written,
        parse_value=_date_time,
    ),
}
