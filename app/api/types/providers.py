"""The configured providers."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Self

import strawberry

from app.api.types.reading import read
from app.model import accounts
from app.providers import health, page


@strawberry.type(description="A configured upstream: one installation of one provider's product.")
class Provider:
    name: str = strawberry.field(description="The name in the configuration, unique.")
    kind: accounts.ProviderKind
    able: strawberry.Private[Collection[page.Capability]]
    capabilities: list[page.Capability] = read(
        lambda self: [one for one in page.Capability if one in self.able]
    )
    state: health.ProviderState
    since: datetime | None = strawberry.field(description="Since when it has been in this state.")

    @classmethod
    def of(cls, provider: page.Provider) -> Self:
        return cls.told(told_of(provider))

    @classmethod
    def told(cls, told: "Told") -> Self:
        return cls(**told._asdict())


class Told(NamedTuple):
    """What is told of a provider at one time."""

    name: str
    kind: accounts.ProviderKind
    able: frozenset[page.Capability]
    state: health.ProviderState
    since: datetime | None


def told_of(provider: page.Provider) -> Told:
    """Return what is to be told of a provider now."""
    now = provider.health
    return Told(provider.name, provider.kind, provider.capabilities, now.state, now.since)
