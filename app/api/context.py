"""What the resolvers of one request share."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import strawberry
from graphql import GraphQLError

from app.api.balances import AccountBalance, Balances
from app.api.deadline import Deadline
from app.api.histories import Histories, Source, SourceState
from app.api.loaders import Loaders
from app.directory.directory import Directory, Linked
from app.directory.lines import AccountLine
from app.directory.linking import Linking
from app.feeds.feeds import Feeds
from app.history.cursor import CursorSigner
from app.history.windows import Windows
from app.metrics.metrics import Metrics
from app.mirror.mirror import Mirror
from app.mirror.reported import Reported
from app.model.accounts import Account, Customer
from app.model.clock import Clock
from app.model.errors import UpstreamError
from app.model.instants import written
from app.model.viewer import Viewer
from app.observing.observation import note_source
from app.providers.page import Provider
from app.redis.changes import Changes
from app.redis.guard import Guard
from app.redis.rates import Rates
from app.responses.cache import ResponseCache
from app.responses.dependencies import Dependencies
from app.responses.lookups import Lookups

# Until when an answer is fresh that is not: also what was read a moment ago is stale to whoever
# wanted it read since, and nobody else is to be told so.
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Services:
    """What lives as long as the process. `fresh_for` is by provider.

    `responses` is None where no answer is kept.
    """

    directory: Directory
    linking: Linking
    mirror: Mirror
    windows: Windows
    reported: Reported
    feeds: Feeds
    providers: Mapping[str, Provider]
    fresh_for: Mapping[str, timedelta]
    signer: CursorSigner
    clock: Clock
    page_limit: int
    guard: Guard
    metrics: Metrics
    rates: Rates
    lookups: Lookups
    changes: Changes
    responses: ResponseCache | None


class Context:
    """What lives as long as one request."""

    def __init__(self, services: Services, viewer: Viewer, deadline: Deadline) -> None:
        self.services = services
        self.viewer = viewer
        self._deadline = deadline
        self.made_of = Dependencies()
        self._histories = Histories(
            services.mirror, services.windows, services.providers, deadline, self.made_of
        )
        self._balances = Balances(
            services.mirror, services.reported, services.providers, deadline, self.made_of
        )
        self.loaders = self._new_loaders()
        self.problems: list[GraphQLError] = []
        # Until when the answer is fresh; None while nothing in it grows old.
        self.fresh_until: datetime | None = None

    def used(self, info: "Info", sources: Iterable[Source]) -> None:
        """Note what an answer was made of: how fresh it is, and one error for each lost source."""
        for source in sources:
            self.services.metrics.sources.add(source.account.provider, source.state)
            note_source(source.account.provider, source.state)
            if source.state is SourceState.UNAVAILABLE and source.error:
                lost = f"The entries of one account at {source.account.provider} are missing"
                self.problems.append(_problem(info, lost, source.account, source.error))
            elif source.state is SourceState.STALE:
                self.fresh_until = _LONG_AGO
            elif source.read_at:
                self._grow_old(source.account, source.read_at)

    def told(self, info: "Info", balances: Iterable[AccountBalance]) -> None:
        """Note which balances are in an answer, as `used` does."""
        for one in balances:
            if one.state is SourceState.UNAVAILABLE and one.error:
                lost = f"The balance of one account at {one.account.provider} is missing"
                self.problems.append(_problem(info, lost, one.account, one.error))
            elif not one.settled or one.state is SourceState.STALE:
                self.fresh_until = _LONG_AGO
            elif one.as_of:
                self._grow_old(one.account, one.as_of)

    @property
    def fresh_for(self) -> timedelta | None:
        """How long the answer stays fresh; None while nothing in it grows old."""
        if self.fresh_until is None:
            return None
        return max(self.fresh_until - self.services.clock(), timedelta(0))

    async def refresh(self, account: Account) -> Sequence[Source]:
        """Ask the account's provider now; what is loaded afterwards is loaded anew."""
        sources, _ = await asyncio.gather(
            self._histories.refresh(account), self._balances.refresh(account)
        )
        self.load_anew()
        return sources

    async def link(self, customer: Customer, account: AccountLine) -> Linked:
        """Link an account; what is not done by the deadline is a timeout, and goes on for later."""
        linking = self.services.linking.link(customer.id, account)
        linked = await self._deadline.one("outcome of linking", linking)
        if isinstance(linked, UpstreamError):
            raise linked
        self.load_anew()
        return linked

    def renewed(self) -> Self:
        """Return the context that the same request would have if it came now."""
        return type(self)(self.services, self.viewer, self._deadline.renewed())

    def load_anew(self) -> None:
        """Forget what was loaded, as something was written that it does not show."""
        self.loaders = self._new_loaders()

    def _new_loaders(self) -> Loaders:
        return Loaders(
            self.services.lookups, self._histories, self._balances, self.viewer, self.made_of
        )

    def _grow_old(self, account: Account, read_at: datetime) -> None:
        until = read_at + self.services.fresh_for[account.provider]
        self.fresh_until = until if self.fresh_until is None else min(self.fresh_until, until)


Info = strawberry.Info[Context, None]


def _problem(info: Info, lost: str, account: Account, error: UpstreamError) -> GraphQLError:
    """Say that a part of the answer at this path is missing, and why."""
    return GraphQLError(
        f"{lost}: {error}",
        nodes=info._raw_info.field_nodes,  # noqa: SLF001 - its own type does not offer them
        path=info.path.as_list(),
        extensions={
            "code": error.code,
            "provider": account.provider,
            **({"retryAt": written(error.retry_at)} if error.retry_at else {}),
        },
    )
