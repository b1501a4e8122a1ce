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
        known = _locale(locale)
        if self.kind is money.UnitKind.CURRENCY:
            return format_currency(self.amount, self.unit, locale=known, decimal_quantization=False)
        number = format_decimal(self.amount, locale=known, decimal_quantization=False)
        return f"{number} {self.unit}"


@lru_cache(_MOST_LOCALES)
def _locale(tag: str) -> Locale:
    try:
        return Locale.parse(tag, sep="-" if "-" in tag else "_")
    except (ValueError, UnknownLocaleError, TypeError) as error:
        raise BadUserInput(
            'The locale is not known; write a language tag such as "sv" or "en-GB".'
        ) from error
