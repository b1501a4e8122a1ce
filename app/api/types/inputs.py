"""What a caller may ask lists for."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET

from app.api import ids
from app.history import filter as history_filter
from app.model import entries
from app.model.errors import BadUserInput

T = TypeVar("T")

GIVEN_BACK = "A text of the caller's own, which the payload gives back."
"""What a `clientMutationId` is, in every mutation's input."""


@strawberry.enum(description="Which end of time a list begins with.")
class HistoryOrder(StrEnum):
    NEWEST_FIRST = "NEWEST_FIRST"
    OLDEST_FIRST = "OLDEST_FIRST"


@strawberry.input(
    description="Conditions that all have to hold; one that is null or left out holds for every "
    "entry, an empty list for none."
)
class CreditChangeFilter:
    from_: datetime | None = strawberry.field(
        name="from", default=UNSET, description="At or after this instant."
    )
    to: datetime | None = strawberry.field(default=UNSET, description="Before this instant.")
    kinds: list[entries.CreditChangeKind] | None = strawberry.field(
        default=UNSET,
        description="Any of these kinds.",
    )
    direction: history_filter.Direction | None = UNSET
    providers: list[str] | None = strawberry.field(
        default=UNSET, description="Names of configured providers."
    )
    accounts: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description="Global ids of `Account` objects.",
    )
    unit: str | None = strawberry.field(
        default=UNSET,
        description="Exactly this unit, as `Money.unit` has it.",
    )
    min_amount: Decimal | None = strawberry.field(
        default=UNSET, description="Compared with the signed amount."
    )
    max_amount: Decimal | None = strawberry.field(
        default=UNSET,
        description="Compared with the signed amount.",
    )
    text: str | None = strawberry.field(
        default=UNSET,
        description="Part of the reason, description or note, whatever the case.",
    )
    store_id: str | None = strawberry.field(default=UNSET, description="CareCloud: the store's id.")
    partner_id: str | None = strawberry.field(
        default=UNSET, description="CareCloud: the partner's id."
    )

    def chosen(self, configured: Collection[str]) -> history_filter.CreditChangeFilter:
        """Return the conditions; `BadUserInput` for a provider that is not configured."""
        return history_filter.CreditChangeFilter(
            **_common(self, configured),
            kinds=_set(self.kinds),
            direction=given(self.direction),
            store_id=given(self.store_id),
            partner_id=given(self.partner_id),
        )


@strawberry.input(
    description="Conditions that all have to hold; one that is null or left out holds for every "
    "entry, an empty list for none."
)
class PaymentFilter:
    from_: datetime | None = strawberry.field(
        name="from", default=UNSET, description="At or after this instant."
    )
    to: datetime | None = strawberry.field(default=UNSET, description="Before this instant.")
    statuses: list[entries.PaymentStatus] | None = strawberry.field(
        default=UNSET,
        description="Any of these statuses.",
    )
    providers: list[str] | None = strawberry.field(
        default=UNSET, description="Names of configured providers."
    )
    accounts: list[strawberry.ID] | None = strawberry.field(
        default=UNSET,
        description="Global ids of `Account` objects.",
    )
    unit: str | None = strawberry.field(
        default=UNSET,
        description="Exactly this unit, as `Money.unit` has it.",
    )
    min_amount: Decimal | None = strawberry.field(
        default=UNSET, description="Compared with the signed amount."
    )
    max_amount: Decimal | None = strawberry.field(
        default=UNSET,
        description="Compared with the signed amount.",
    )
    text: str | None = strawberry.field(
        default=UNSET, description="Part of the product or reference, whatever the case."
    )

    def chosen(self, configured: Collection[str]) -> history_filter.PaymentFilter:
        """Return the conditions; `BadUserInput` for a provider that is not configured."""
        return history_filter.PaymentFilter(
            **_common(self, configured), statuses=_set(self.statuses)
        )


def given(value: T | None) -> T | None:
    """Return the value, or None where the caller left it out."""
    return None if value is UNSET else value


def _set(values: list[T] | None) -> frozenset[T] | None:
    values = given(values)
    return None if values is None else frozenset(values)


def _common(
    where: CreditChangeFilter | PaymentFilter, configured: Collection[str]
) -> Mapping[str, Any]:
    providers = _set(where.providers)
    for name in sorted(providers or ()):
        if name not in configured:
            raise BadUserInput(
                f'No provider is named "{name}"; configured are: {", ".join(sorted(configured))}.'
            )
    return {
        "start": given(where.from_),
        "end": given(where.to),
        "providers": providers,
        "accounts": _accounts(given(where.accounts)),
        "unit": given(where.unit),
        "min_amount": given(where.min_amount),
        "max_amount": given(where.max_amount),
        "text": given(where.text),
    }


def _accounts(global_ids: list[strawberry.ID] | None) -> frozenset[str] | None:
    """Return the accounts' own ids; one that is not the customer's chooses nothing."""
    if global_ids is None:
        return None
    nodes = [ids.read(text) for text in global_ids]
    if any(node is None or node.kind is not ids.NodeKind.ACCOUNT for node in nodes):
        raise BadUserInput("The filter's `accounts` take the ids of Account objects.")
    return frozenset(node.owner for node in nodes if node)
