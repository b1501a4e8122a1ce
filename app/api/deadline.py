"""How long one request waits for what it reads."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, Self, TypeVar

from app.mirror.documents import Demand
from app.model.errors import UpstreamError, UpstreamTimeout

T = TypeVar("T")

# What a caller who wants nothing old waits for a refresh; the rest is for what is stale instead.
_FOR_A_REFRESH = 0.8


class Deadline:
    """The end of a request, so long from now.

    With `no_older_than` the caller wants what is served to have been read so recently.
    """

    def __init__(self, patience: timedelta, no_older_than: timedelta | None = None) -> None:
        self._whole_patience = patience
        self._at = monotonic() + patience.total_seconds()
        self._no_older_than = no_older_than

    def renewed(self) -> Self:
        """Return the deadline that the same request would have if it came now."""
        return type(self)(self._whole_patience, self._no_older_than)

    def demand(self) -> Demand | None:
        """Return what the caller demands; None for whatever is fresh."""
        if self._no_older_than is None:
            return None
        return Demand(self._no_older_than, self._patience())

    def urgent(self, age: timedelta = timedelta(0)) -> Demand:
        """Return the demand for what was read so recently, whenever the provider was asked."""
        return Demand(age, self._patience(), urgent=True)

    async def all(
        self, what: str, asked: Sequence[Coroutine[Any, Any, T] | asyncio.Future[T]]
    ) -> list[T | UpstreamError]:
        """Await all; what is not there by the deadline is a timeout, and goes on for later."""
        tasks: list[asyncio.Future[T]] = [asyncio.ensure_future(one) for one in asked]
        late: set[asyncio.Future[T]] = set()
        if not all(task.done() for task in tasks):
            try:
                _, late = await asyncio.wait(tasks, timeout=self._left())
            finally:
                for task in tasks:
                    task.cancel()
        return [
            UpstreamTimeout(f"The {what} could not be read in time; asking again goes on.")
            if task in late
            else _outcome(task)
            for task in tasks
        ]

    async def one(self, what: str, asked: Coroutine[Any, Any, T]) -> T | UpstreamError:
        """Await one thing, as `all` does."""
        (found,) = await self.all(what, [asked])
        return found

    def _left(self) -> float:
        return max(self._at - monotonic(), 0)

    def _patience(self) -> timedelta:
        return timedelta(seconds=self._left() * _FOR_A_REFRESH)


def _outcome(task: asyncio.Future[Any]) -> Any:  # noqa: ANN401 - what it is of, or an `UpstreamError`
    error = task.exception()
    if error is None:
        return task.result()
    if isinstance(error, UpstreamError):
        return error
    raise error
