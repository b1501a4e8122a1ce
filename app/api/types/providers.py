"""The configured providers."""

from collections.abc import Collection
from datetime import datetime
from typing import Self

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
        return cls(
            name=provider.name,
            kind=provider.kind,
            able=provider.capabilities,
            state=provider.health.state,
            since=provider.health.since,
        )
