"""Amounts."""

from decimal import Decimal
from typing import Annotated, cast

import strawberry
from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal

from app.model import money
from app.model.errors import BadUserInput


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

    @strawberry.field(description='Formatted for people, for example "39,00 kr".')
    def formatted(
        self,
        locale: Annotated[
            str, strawberry.argument(description='A language tag such as "sv" or "en-GB".')
        ] = "en",
    ) -> str:
        try:
            known = Locale.parse(locale, sep="-" if "-" in locale else "_")
        except (ValueError, UnknownLocaleError, TypeError) as error:
            raise BadUserInput(
                'The locale is not known; write a language tag such as "sv" or "en-GB".'
            ) from error
        if self.kind is money.UnitKind.CURRENCY:
            return format_currency(self.amount, self.unit, locale=known, decimal_quantization=False)
        number = format_decimal(self.amount, locale=known, decimal_quantization=False)
        return f"{number} {self.unit}"
