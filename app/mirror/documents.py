"""What is kept of an account, how fresh it has to be, and what is known of it."""

import asyncio
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar

from app.model.errors import UpstreamError

# However fresh a caller wants a document, its provider is not asked more often for it.
AT_MOST_ONCE_IN = timedelta(seconds=5)


class Document(Protocol):
    """What is kept: read at that time, new with every version."""

    @property
    def version(self) -> str: ...
    @property
    def read_at(self) -> datetime: ...
    @property
    def weight(self) -> int: ...
    @property
    def block_names(self) -> tuple[str, ...]: ...


D = TypeVar("D", bound=Document)


class Freshness(NamedTuple):
    """How long a document is served as it is, how long it may be stale, when it is read anew."""

    fresh_for: timedelta
    stale_for: timedelta
    rebuild_after: timedelta

    def limit(self, demand: "Demand | None") -> timedelta:
        """Return how old what is served as fresh may be."""
        return min(self.fresh_for, demand.limit) if demand else self.fresh_for


class Demand(NamedTuple):
    """That a document be no older than `age`, for which its renewal is waited for so long.

    Where that fails or takes longer, what is known is served as stale. Unless it is `urgent`, a
    provider is asked at most once in five seconds.
    """

    age: timedelta
    patience: timedelta
    urgent: bool = False

    @property
    def limit(self) -> timedelta:
        return self.age if self.urgent else max(self.age, AT_MOST_ONCE_IN)


class Served(NamedTuple, Generic[D]):
    """A document that may be served; `error` is why it is stale, where that is known."""

    document: D
    is_stale: bool
    error: UpstreamError | None = None


class Known(NamedTuple, Generic[D]):
    """A document as it is known now; `version` is the one in Redis, None for none.

    `era` is since which purge; what is of another one must not be kept. `lease` is that by which
    the document is worked on, if it is.
    """

    document: D | None
    version: str | None
    era: str = ""
    lease: "Lease | None" = None


class Lease(NamedTuple):
    """A claim to be the one who does some work on a document."""

    document: str
    work: str
    token: str


class Name(NamedTuple):
    """A document's name, and how its provider's answers are read."""

    text: str
    translation: str


async def done_within(patience: timedelta, task: asyncio.Task[D]) -> D | None:
    """Return what a task returns; None where it fails or takes longer, and then goes on."""
    await asyncio.wait({task}, timeout=patience.total_seconds())
    if not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()
