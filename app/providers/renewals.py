"""Renewing credentials once for all who wait for it, whoever goes away meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Renewals(Generic[T]):
    """Renewals that are under way, by what they renew.

    All who ask while one is under way share its outcome, a failure too: twenty callers with a
    refused password are one login. It outlives a caller that is cancelled, as credentials that
    the provider has renewed and nobody has stored would be lost.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[T]] = {}

    async def join(self, key: str, renew: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what the renewal returns; raises what it raises."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.create_task(renew())
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    async def aclose(self, patience: timedelta = timedelta(0)) -> None:
        """End what is under way, after it had that long to end by itself."""
        tasks = list(self._tasks.values())
        if tasks and patience:
            await asyncio.wait(tasks, timeout=patience.total_seconds())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, key: str, task: asyncio.Task[T]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # it was told to all who still waited
