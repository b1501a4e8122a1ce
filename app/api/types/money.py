"""Amounts."""

from decimal import Decimal
from functools import lru_cache
from typing import Annotated, cast

import strawberry
from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal

from app.api.compiling.readings import REPEATABLE
from app.model import money
from app.model.errors import BadUserInput

# People of one customer's country ask in a few; each takes some kilobytes once it was used.
_MOST_LOCALES = 100
# Most of the amounts that are shown are shown again: those of a hundred pages, in a megabyte. To
# format one takes forty times as long as to find it.
_MOST_FORMATTED = 5000


@strawberry.type(description="An amount in one unit. Amounts in different units are never added.")
class Money:
    amount: Decimal
    unit: str = strawberry.field(
        description="An ISO 4217 code for CURRENCY; the provider's own name for POINTS."
    )
    kind: money.UnitKind = strawberry.field(name="unitKind")

    @staticmethod
    def maybe(amount: money.Money | None) -> "Money | None":
        """Return an amount as it is: nothing but its attributes is asked of what stands for it."""
        return cast("Money | None", amount)

    @strawberry.field(
        description='Formatted for people, for example "39,00 kr".', metadata={REPEATABLE: True}
    )
    def formatted(
        self,
        locale: Annotated[
            str, strawberry.argument(description='A language tag such as "sv" or "en-GB".')
        ] = "en",
    ) -> str:
        # Equal amounts may have other digits.
        return _formatted(str(self.amount), self.unit, self.kind, locale)


@lru_cache(_MOST_FORMATTED)
def _formatted(amount: str, unit: str, kind: money.UnitKind, locale: str) -> str:
    number, known = Decimal(amount), _locale(locale)
    if kind is money.UnitKind.CURRENCY:
        return format_currency(number, unit, locale=known, decimal_quantization=False)
    return f"{format_decimal(number, locale=known, decimal_quantization=False)} {unit}"


@lru_cache(_MOST_LOCALES)
def _locale(tag: str) -> Locale:
    try:
        return Locale.parse(tag, sep="-" if "-" in tag else "_")
    except (ValueError, UnknownLocaleError, TypeError) as error:
        raise BadUserInput(
            'The locale is not known; write a language tag such as "sv" or "en-GB".'
        ) from error
