"""Which histories could not be read, and before when they are not asked for again."""

from collections import OrderedDict
from collections.abc import Hashable
from datetime import timedelta
from typing import NamedTuple

from app.model.clock import Clock
from app.model.errors import UpstreamError

_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(seconds=30)
_REMEMBERED = 10_000


class Failure(NamedTuple):
    """The last failure of a history that has not been read since; `error.retry_at` is set."""

    error: UpstreamError
    times: int


class Failures:
    """Failures by history, the latest ten thousand."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: OrderedDict[Hashable, Failure] = OrderedDict()

    def add(self, key: Hashable, error: UpstreamError) -> None:
        """Remember the failure; without a time of its own it waits 1, 2, 4 … 30 s."""
        before = self._failures.pop(key, None)
        times = before.times + 1 if before else 1
        if error.retry_at is None:
            wait = min(_FIRST_WAIT * 2 ** min(times - 1, 10), _LONGEST_WAIT)
            error.retry_at = self._clock() + wait
        self._failures[key] = Failure(error, times)
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def clear(self, key: Hashable) -> None:
        self._failures.pop(key, None)

    def last(self, key: Hashable) -> UpstreamError | None:
        """Return why the history could not be read the last time; None when it could."""
        failure = self._failures.get(key)
        return failure.error if failure else None

    def waiting(self, key: Hashable) -> UpstreamError | None:
        """Return the failure because of which it is too soon to ask again, if it is."""
        error = self.last(key)
        too_soon = error and error.retry_at and self._clock() < error.retry_at
        return error if too_soon else None
