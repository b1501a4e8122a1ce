"""Enums of the layers below, told to the schema with what their values mean."""

from enum import StrEnum

import strawberry
from strawberry.types.enum import has_enum_definition

from app.api.histories import SourceErrorCode, SourceState
from app.history.filter import Direction
from app.history.summary import SummaryBucket
from app.model.accounts import AccountStatus, ProviderKind
from app.model.entries import CreditChangeKind, PaymentStatus, ProductKind
from app.model.money import UnitKind
from app.providers.health import ProviderState
from app.providers.page import Capability


def describe() -> None:
    """Describe every enum; to be called before a type shows one, or that one has no words."""
    _describe(
        AccountStatus,
        NEEDS_RELINK="The provider refused the stored credentials; link the account again.",
    )
    _describe(
        ProviderState,
        DEGRADED="Failing now and then, or asking us to slow down.",
        DOWN="The circuit is open: the gateway is not asking it.",
    )
    _describe(
        CreditChangeKind,
        TOP_UP="Credit bought or deposited.",
        SPEND="Credit used to pay.",
        EARNING="Credit earned, for example by a sale.",
        ADJUSTMENT="Changed by the provider's staff.",
    )
    _describe(
        SourceState,
        STALE="Served from the last good answer, which is older than the freshness limit.",
        UNAVAILABLE="Nothing could be served; its entries are missing from this list.",
        UNSUPPORTED="The provider has no such history.",
    )
    for plain in (
        Capability,
        Direction,
        PaymentStatus,
        ProductKind,
        ProviderKind,
        SourceErrorCode,
        SummaryBucket,
        UnitKind,
    ):
        _describe(plain)


def _describe(enum: type[StrEnum], **meanings: str) -> None:
    strawberry.enum(enum)
    assert has_enum_definition(enum)  # noqa: S101 - the line before gave it one
    values = {value.name: value for value in enum.__strawberry_definition__.values}
    for name, meaning in meanings.items():
        values[name].description = meaning
