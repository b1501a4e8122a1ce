"""The settings of a provider, one class for each kind."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, model_validator

from app.model.accounts import ProviderKind
from app.model.entries import CreditChangeKind
from app.settings.addresses import BaseUrl, is_open_http
from app.settings.secret import Secret
from app.settings.values import (
    CloudrevePageSize,
    Duration,
    DurationOrZero,
    Flag,
    PageSize,
    Positive,
    Rate,
    RateLimit,
    Size,
    Text,
    TimeZone,
    Written,
    refusal,
)

NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class Section(BaseModel):
    """A table of the configuration: frozen, without unknown keys, never showing what was given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ProviderSettings(Section):
    """What every provider takes; `name` is its table's name and no key of it."""

    name: str
    base_url: BaseUrl = Field(description="Where its API begins; https, or http to loopback.")
    timeout: Duration = Field(
        default=timedelta(seconds=5),
        description="The longest that one call may take once it is sent.",
    )
    max_concurrency: Positive = Field(
        default=16, description="The most calls at the same time, of one process."
    )
    rate: RateLimit = Field(
        default=Rate(120, timedelta(minutes=1)),
        description="The most calls in a time with one credential.",
    )
    max_body: Size = Field(
        default=8 * 1024**2, description="The largest answer that is read, once decompressed."
    )
    fresh_for: DurationOrZero | None = Field(
        default=None, description="As `cache.fresh_for`, which holds where this is not set."
    )
    allow_http: Flag = Field(
        default=False, description="Whether it may be asked unencrypted over a network."
    )

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if is_open_http(self.base_url) and not self.allow_http:
            raise refusal(
                "http is only for loopback; write https, or allow_http = true beside it",
                "base_url",
            )
        return self


class CloudreveSettings(ProviderSettings):
    """A Cloudreve instance."""

    kind: Annotated[Literal["cloudreve"], Written('"cloudreve"')] = Field(
        description="What the provider runs."
    )
    page_size: CloudrevePageSize = Field(
        default=100, description="The number of entries asked for at once."
    )
    points_unit: Text = Field(default="points", description="The unit its points are shown in.")


def _not_selectable(_: object) -> None:
    raise refusal("HostUp chooses the size of its pages itself; remove this key")


class HostUpSettings(ProviderSettings):
    """HostUp, or a host with the same API."""

    kind: Annotated[Literal["hostup"], Written('"hostup"')] = Field(
        description="What the provider runs."
    )
    page_size: Annotated[None, BeforeValidator(_not_selectable), Written("nothing")] = Field(
        default=None, description="Not selectable: it chooses the size of its pages itself."
    )
    time_zone: TimeZone = Field(
        default=ZoneInfo("Europe/Stockholm"), description="The zone its times are given in."
    )


class CareCloudSettings(ProviderSettings):
    """A CareCloud installation, by its enterprise interface."""

    kind: Annotated[Literal["carecloud"], Written('"carecloud"')] = Field(
        description="What the provider runs."
    )
    page_size: PageSize = Field(default=100, description="The number of entries asked for at once.")
    time_zone: TimeZone = Field(description="The zone its times are given in.")
    external_application_id: Text = Field(description="The application that logs in.")
    login: Text = Field(description="The user that logs in.")
    password: Secret = Field(description="The password of that user.")
    language: Text = Field(default="en", description="The language of texts asked for.")
    operation_kinds: Annotated[
        Mapping[Text, CreditChangeKind],
        Written(
            'a table such as { "Manual change" = "ADJUSTMENT" } of the kinds '
            + ", ".join(CreditChangeKind)
        ),
    ] = Field(
        default_factory=dict, description="What the names of its operation types mean, by name."
    )
    negative_operations: Annotated[
        tuple[Text, ...], Written('a list of texts such as ["Redemption"]', lambda _: "[]")
    ] = Field(default=(), description="Operation types whose amounts are given without their sign.")


AnyProviderSettings = CloudreveSettings | HostUpSettings | CareCloudSettings

KINDS: Mapping[str, type[AnyProviderSettings]] = {
    kind: settings
    for settings in get_args(AnyProviderSettings)
    for kind in get_args(settings.model_fields["kind"].annotation)
}
"""Every kind of provider, by what the file calls it."""


def provider_kind(settings: AnyProviderSettings) -> ProviderKind:
    """Return the kind of a provider as the other layers name it."""
    return ProviderKind(settings.kind.upper())


def _named(tables: object) -> object:
    """Put each table's name into it, for the settings to know what they are called."""
    if not isinstance(tables, dict):
        return tables
    for name, table in tables.items():
        if not NAME.fullmatch(name):
            raise refusal(
                "is no name for a provider; write a lower-case letter and then "
                "at most 31 lower-case letters, digits, _ or -",
                name,
            )
        if isinstance(table, dict) and "name" in table:
            raise refusal("is not a key; the table's own name is the name", name, "name")
    return {name: _with_name(name, table) for name, table in tables.items()}


def _with_name(name: str, table: object) -> object:
    return {**table, "name": name} if isinstance(table, dict) else table


Providers = Annotated[
    Mapping[str, Annotated[AnyProviderSettings, Discriminator("kind")]],
    BeforeValidator(_named),
]
