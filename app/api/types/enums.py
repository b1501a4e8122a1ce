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
    _describe_providers()
    _describe_entries()
    _describe_answers()


def _describe_providers() -> None:
    _describe(ProviderKind, "The kinds of providers that the gateway can read.")
    _describe(
        ProviderState,
        "How a provider is doing, as the last calls to it tell.",
        UP="The last call was answered, or there was none yet.",
        DEGRADED="Failing now and then, or asking us to slow down.",
        DOWN="The circuit is open: the gateway is not asking it.",
    )
    _describe(Capability, "What a provider can tell of an account.")
    _describe(
        AccountStatus,
        "Whether the account can be read with the credentials that are stored.",
        ACTIVE="The provider has not refused them.",
        NEEDS_RELINK="The provider refused the stored credentials; link the account again.",
    )


def _describe_entries() -> None:
    _describe(
        CreditChangeKind,
        "What a credit change was for.",
        TOP_UP="Credit bought or deposited.",
        SPEND="Credit used to pay.",
        EARNING="Credit earned, for example by a sale.",
        ADJUSTMENT="Changed by the provider's staff.",
        EXPIRY="Credit lost because it was not used in time.",
        OTHER="The provider's word for it tells no more.",
    )
    _describe(
        Direction,
        "Whether credit came or went.",
        IN="To the customer: the amount is above zero.",
        OUT="From the customer: the amount is below zero.",
    )
    _describe(
        PaymentStatus,
        "How far a payment has come, whatever its provider calls that.",
        PENDING="Begun and not paid.",
        PAID="Paid; whether what was bought was delivered is not told.",
        FULFILLED="Paid, and what was bought was delivered.",
        FULFILLMENT_FAILED="Paid, but what was bought could not be delivered.",
        UNKNOWN="The provider's word for it is none that the gateway knows.",
    )
    _describe(
        ProductKind,
        "What kind of thing was bought.",
        SHARE="Access to what another user shares.",
        INVOICE="What an invoice lists.",
        OTHER="The provider tells no more.",
    )
    _describe(
        UnitKind,
        "Whether a unit is a currency.",
        CURRENCY="Money.",
        POINTS="A provider's own points, which are no money elsewhere.",
    )


def _describe_answers() -> None:
    _describe(
        SourceState,
        "How recently an account's part of an answer was read at its provider.",
        FRESH="Read within the freshness limit.",
        STALE="Served from the last good answer, which is older than the freshness limit.",
        UNAVAILABLE="Nothing could be served; its entries are missing from this list.",
        UNSUPPORTED="The provider has no such history.",
    )
    _describe(
        SourceErrorCode,
        "What kept the gateway from reading at a provider.",
        UPSTREAM_UNAVAILABLE="It did not answer, or answered that it cannot; try again later.",
        UPSTREAM_TIMEOUT="It did not answer in time; try again later.",
        UPSTREAM_RATE_LIMITED="It asks to be asked less; wait until `retryAt`.",
        UPSTREAM_UNAUTHORIZED="It refuses the credentials: the account's own, or the operator's.",
        UPSTREAM_INVALID_RESPONSE="It answered what its documents do not describe.",
    )
    _describe(
        SummaryBucket,
        "How long each bucket of a series is, by the calendar of the time zone.",
        WEEK="From Monday to Sunday.",
    )


def _describe(enum: type[StrEnum], what: str, **meanings: str) -> None:
    strawberry.enum(enum, description=what)
    assert has_enum_definition(enum)  # noqa: S101 - the line before gave it one
    values = {value.name: value for value in enum.__strawberry_definition__.values}
    for name, meaning in meanings.items():
        values[name].description = meaning
