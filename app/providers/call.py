"""One call to a provider, what comes back, and what more can be said of why nothing does."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

from app.model.errors import (
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)

T = TypeVar("T")


class Call(NamedTuple):
    """One request to a provider. `path` is relative to its base URL.

    `credential` names whose calls are counted and paused together, and is no secret: an account's
    id, or empty for the provider's own login. `of` is the account's id where that login is used
    to ask for what an account has.
    """

    method: str
    path: str
    headers: Mapping[str, str] = {}
    params: Mapping[str, str | int] = {}
    json: Any = None
    is_read: bool = True
    credential: str = ""
    of: str = ""

    @property
    def account(self) -> str:
        """The id of the account that is asked for; empty for what all of them have."""
        return self.credential or self.of


class Answer(NamedTuple):
    """What came back: a status below 500 other than 3xx and 429, and the decoded body."""

    status: int
    body: bytes


class Ring(Protocol):
    """One concern around a call; `send` is all that is inside of it."""

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        """Return what `send` returns; raises `UpstreamError`."""


class Unreached(UpstreamUnavailable):
    """There was no connection, or it was lost; what was asked may have been done all the same."""


class Unreadable(UpstreamInvalidResponse):
    """What came is no answer of such a provider at all, whoever asks for whatever."""


class NotAsked(Exception):
    """Marks the error of a call that did not leave, which tells nothing of the provider."""


class Crowded(NotAsked, UpstreamTimeout):
    """Other calls held all places for too long."""


class TooSoon(NotAsked, UpstreamRateLimited):
    """The provider is not asked before `retry_at`, as its rate is used up or it said so."""


class OwnRate(TooSoon):
    """Calls that came before used up the rate."""


class CircuitOpen(NotAsked, UpstreamUnavailable):
    """The provider failed so often that it is left alone until `retry_at`."""
