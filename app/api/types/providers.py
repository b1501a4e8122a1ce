"""The configured providers."""

from datetime import datetime
from typing import Self

import strawberry

from app.model import accounts
from app.providers import health, page


@strawberry.type(description="A configured upstream: one installation of one provider's product.")
class Provider:
    name: str = strawberry.field(description="The name in the configuration, unique.")
    kind: accounts.ProviderKind
    capabilities: list[page.Capability]
    state: health.ProviderState
    since: datetime | None = strawberry.field(description="Since when it has been in this state.")

    @classmethod
    def of(cls, provider: page.Provider) -> Self:
        return cls(
            name=provider.name,
            kind=provider.kind,
            capabilities=[one for one in page.Capability if one in provider.capabilities],
            state=provider.health.state,
            since=provider.health.since,
        )
