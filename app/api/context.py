"""What the resolvers of one request share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import strawberry
from graphql import GraphQLError

from app.api.histories import Histories, Source, SourceState
from app.api.loaders import Loaders
from app.api.scalars import written
from app.directory.directory import Directory
from app.history.cursor import CursorSigner
from app.mirror.mirror import Mirror
from app.model.clock import Clock
from app.model.viewer import Viewer
from app.providers.page import Provider


@dataclass(frozen=True)
class Services:
    """What lives as long as the process. `fresh_for` is by provider."""

    directory: Directory
    mirror: Mirror
    providers: Mapping[str, Provider]
    fresh_for: Mapping[str, timedelta]
    signer: CursorSigner
    clock: Clock
    page_limit: int


class Context:
    """What lives as long as one request; `deadline` and `no_older_than` as `Histories` has them."""

    def __init__(
        self,
        services: Services,
        viewer: Viewer,
        deadline: float,
        no_older_than: timedelta | None = None,
    ) -> None:
        self.services = services
        self.viewer = viewer
        histories = Histories(services.mirror, services.providers, deadline, no_older_than)
        self.loaders = Loaders(services.directory, histories, viewer)
        self.problems: list[GraphQLError] = []
        # How long the answer stays fresh; None while nothing in it grows old.
        self.fresh_for: timedelta | None = None

    def used(self, info: "Info", sources: Iterable[Source]) -> None:
        """Note what an answer was made of: how fresh it is, and one error for each lost source."""
        for source in sources:
            if source.state is SourceState.UNAVAILABLE and source.error:
                self.problems.append(_problem(info, source, source.error.code))
            elif source.read_at:
                limit = self.services.fresh_for[source.account.provider]
                left = max(limit - (self.services.clock() - source.read_at), timedelta(0))
                self.fresh_for = left if self.fresh_for is None else min(self.fresh_for, left)


Info = strawberry.Info[Context, None]


def _problem(info: Info, source: Source, code: str) -> GraphQLError:
    """Say that an account's entries are missing from the list at this path, and why."""
    retry_at = source.error.retry_at if source.error else None
    return GraphQLError(
        f"The entries of one account at {source.account.provider} are missing: {source.error}",
        nodes=info._raw_info.field_nodes,  # noqa: SLF001 - its own type does not offer them
        path=info.path.as_list(),
        extensions={
            "code": code,
            "provider": source.account.provider,
            **({"retryAt": written(retry_at)} if retry_at else {}),
        },
    )
