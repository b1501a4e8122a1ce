"""Which documents could not be read, and before when they are not asked for again."""

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

from app.model.clock import Clock
from app.model.errors import (
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)

_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(seconds=30)
_REMEMBERED = 10_000
_BY_CODE: dict[str, type[UpstreamError]] = {
    kind.code: kind
    for kind in (
        UpstreamUnavailable,
        UpstreamTimeout,
        UpstreamRateLimited,
        UpstreamUnauthorized,
        UpstreamInvalidResponse,
    )
}


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """The last failure of a document that has not been read since; failed so many `times`."""

    code: str
    message: str
    at: datetime
    retry_at: datetime
    times: int
    relink: bool = True

    def error(self) -> UpstreamError:
        """Return it as an error of its own, for one reader."""
        kind = _BY_CODE.get(self.code, UpstreamUnavailable)
        error = kind(self.message, retry_at=self.retry_at)
        if isinstance(error, UpstreamUnauthorized):
            error.relink = self.relink
        return error


class Failures:
    """Failures by name, the latest ten thousand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, Failure] = OrderedDict()
        # Those that only this process knows of.
        self._untold: set[str] = set()

    def add(self, name: str, error: UpstreamError) -> Failure:
        """Remember the failure; without a time of its own it waits 1, 2, 4 … 30 s."""
        before = self._failures.get(name)
        times = before.times + 1 if before else 1
        wait = min(_FIRST_WAIT * 2 ** min(times - 1, 10), _LONGEST_WAIT)
        now = self._clock()
        retry_at = error.retry_at = error.retry_at or now + wait
        relink = getattr(error, "relink", True)
        failure = Failure(error.code, str(error), now, retry_at, times, relink)
        self._put(name, failure)
        self._untold.add(name)
        return failure

    def told(self, name: str) -> None:
        """Note that all processes can know of the failure."""
        self._untold.discard(name)

    def adopt(self, name: str, failure: Failure) -> None:
        """Remember a failure that all processes can know of, unless a later one is known."""
        known = self._failures.get(name)
        if known is None or known.at <= failure.at:
            self._put(name, failure)
            self._untold.discard(name)

    def cleared(self, name: str, read_at: datetime) -> None:
        """Forget a failure that is told no more, or that was before it could be read."""
        failure = self._failures.get(name)
        if failure and (name not in self._untold or failure.at <= read_at):
            self.clear(name)

    def clear(self, name: str) -> None:
        """Forget the failure."""
        self._failures.pop(name, None)
        self._untold.discard(name)

    def last(self, name: str) -> UpstreamError | None:
        """Return why it could not be read the last time; None when it could."""
        failure = self._failures.get(name)
        return failure.error() if failure else None

    def waiting(self, name: str) -> UpstreamError | None:
        """Return the failure because of which it is too soon to ask again, if it is."""
        failure = self._failures.get(name)
        return failure.error() if failure and self._clock() < failure.retry_at else None

    def _put(self, name: str, failure: Failure) -> None:
        self._failures.pop(name, None)
        self._failures[name] = failure
        if len(self._failures) > _REMEMBERED:
            self.clear(next(iter(self._failures)))
