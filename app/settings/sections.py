"""Every section and key of the configuration, with its default and what it means."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from app.model.accounts import ProviderKind
from app.settings.access import AuthSettings
from app.settings.addresses import CacheUrl, DirectoryUrl, Origin, is_loopback
from app.settings.documents import TrustedDocuments
from app.settings.observability import ObservabilitySettings
from app.settings.providers import Providers, Section, provider_kind
from app.settings.secret import SecretUrl, VaultKey, vault_key
from app.settings.values import (
    Duration,
    DurationOrZero,
    Flag,
    PageSize,
    Port,
    Positive,
    Rate,
    RateLimit,
    Size,
    Text,
    Written,
    refusal,
)


class ServerSettings(Section):
    """Where and how much the gateway serves."""

    host: Text = Field(default="127.0.0.1", description="The address to listen at.")
    port: Port = Field(default=8000, description="The port to listen at; 0 for any free one.")
    request_timeout: Duration = Field(
        default=timedelta(seconds=10),
        description="The whole request; every upstream call gets what is left of it.",
    )
    unready_for: DurationOrZero = Field(
        default=timedelta(seconds=5),
        description="After SIGTERM it still serves for so long, while /readyz says 503.",
    )
    max_in_flight: Positive = Field(
        default=256, description="The most requests at once; more are refused with Retry-After."
    )
    cors_origins: Annotated[
        tuple[Origin, ...],
        Written(
            'a list of exact origins in lower case such as ["https://app.example.com"]',
            lambda _: "[]",
        ),
    ] = Field(default=(), description="The exact origins whose pages may ask.")
    dashboard: Flag = Field(default=True, description="Whether there is a page at /dashboard.")


class CacheSettings(Section):
    """Where mirrors are kept, and for how long they are served."""

    url: CacheUrl = Field(
        default=SecretUrl("embedded://"),
        validate_default=True,
        description="The Redis that keeps the mirrors; embedded:// keeps them in the process.",
    )
    fresh_for: DurationOrZero = Field(
        default=timedelta(seconds=60),
        description="A history read from its provider this recently is served as it is.",
    )
    stale_for: DurationOrZero = Field(
        default=timedelta(hours=24),
        description="This long after that it is still served, marked STALE, while a refresh runs "
        "or the provider fails.",
    )
    rebuild_after: Duration = Field(
        default=timedelta(hours=24),
        description="A whole history is read anew at least this often, on demand.",
    )
    responses: Flag = Field(
        default=True,
        description="Whether an answer is given again while all it was made of is as it was.",
    )
    response_memory: Size = Field(
        default=64 * 1024**2,
        description="The most bytes of such answers in each process; the Redis keeps them too.",
    )


class DirectorySettings(Section):
    """Where customers and accounts are kept."""

    url: DirectoryUrl = Field(
        default=SecretUrl("sqlite:///credit-gateway.db"),
        validate_default=True,
        description="The database; a relative file is relative to the configuration's folder.",
    )


class VaultSettings(Section):
    """What stored credentials are encrypted with."""

    keys: Annotated[
        tuple[VaultKey, ...],
        Field(min_length=1),
        Written(
            'a list of at least one key such as ["env:GATEWAY_VAULT_KEY"]',
            lambda _: '["env:GATEWAY_VAULT_KEY"]',
        ),
    ] = Field(
        default=(SecretStr("env:GATEWAY_VAULT_KEY"),),
        validate_default=True,
        description="Base64 of 32 bytes each, newest first; `credit-gateway vault keygen` prints "
        "one.",
    )


class LimitSettings(Section):
    """How much one caller may ask."""

    page_size: PageSize = Field(default=100, description="The largest `first` or `last`.")
    cost: Positive = Field(default=2000, description="The largest cost of an operation.")
    depth: Positive = Field(default=12, description="The deepest selection.")
    aliases: Positive = Field(default=30, description="The most aliases in a document.")
    root_fields: Positive = Field(default=20, description="The most fields of an operation.")
    fields: Positive = Field(
        default=1000, description="The most fields in a document, its fragments spread out."
    )
    directives: Positive = Field(default=50, description="The most directives in a document.")
    tokens: Positive = Field(default=2000, description="The most tokens in a document.")
    rate: RateLimit = Field(
        default=Rate(600, timedelta(minutes=1)), description="The most requests of one caller."
    )


class GraphQLSettings(Section):
    """How GraphQL is served."""

    graphiql: Flag = Field(default=True, description="Whether a browser is given GraphiQL.")
    trusted_documents: TrustedDocuments = Field(
        default={},
        description="A file of {hash: document}: when set, nothing else is executed.",
    )
    precise_statuses: Flag = Field(
        default=False,
        description="Whether application/graphql-response+json has the newest statuses: 422 for "
        "what cannot be executed, 294 for data with errors.",
    )


class Settings(Section):
    """The whole configuration, checked: whoever holds one may start."""

    server: ServerSettings
    cache: CacheSettings
    directory: DirectorySettings
    vault: VaultSettings
    auth: AuthSettings
    limits: LimitSettings
    graphql: GraphQLSettings
    observability: ObservabilitySettings
    providers: Providers

    @model_validator(mode="after")
    def _not_open_to_everyone(self) -> Self:
        if self.auth.mode == "none" and not is_loopback(self.server.host):
            raise refusal(
                '"none" lets everyone read everything, so only a loopback host may have it; '
                'write server.host = "127.0.0.1"',
                "auth",
                "mode",
            )
        return self

    def vault_keys(self) -> tuple[bytes, ...]:
        """Return the keys that stored credentials are encrypted with, newest first."""
        return tuple(vault_key(key) for key in self.vault.keys)

    def provider_kinds(self) -> Mapping[str, ProviderKind]:
        """Return the kind of each configured provider by its name."""
        return {name: provider_kind(provider) for name, provider in self.providers.items()}

    def fresh_for(self, provider: str) -> timedelta:
        """Return how long a history of the named provider is served as it is."""
        own = self.providers[provider].fresh_for
        return self.cache.fresh_for if own is None else own
