"""One piece of work at a time for a key, done once for all who wait for it, whoever goes away."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from datetime import timedelta
from typing import Any, Generic, TypeVar

import structlog

from app.metrics.tally import Tally
from app.model.errors import GatewayError

T = TypeVar("T")

_log = structlog.get_logger("mirror")


class Flights(Generic[T]):
    """Detached tasks by key and purpose. Equal ones are one; different ones of a key queue up.

    How many there are, and how many joined them, is counted in `counted`, where there is one.
    """

    def __init__(self, counted: Tally | None = None) -> None:
        self._counted = counted
        self._tasks: dict[tuple[Hashable, str], asyncio.Task[T]] = {}
        self._disowned: set[asyncio.Task[T]] = set()
        # The last one of each key, after which the next one begins.
        self._last: dict[Hashable, asyncio.Task[T]] = {}

    def start(
        self, key: Hashable, purpose: str, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> asyncio.Task[T]:
        """Start the work, or join it. Who awaits the task shields it, so as not to end it."""
        running = self._tasks.get((key, purpose))
        if self._counted:
            self._counted.add("joined" if running else "started")
        if running is not None:
            return running
        task = asyncio.create_task(_after(self._last.get(key), work))
        self._tasks[key, purpose] = self._last[key] = task
        task.add_done_callback(lambda done: self._landed(key, purpose, done))
        return task

    def disown(self, name: str) -> None:
        """Let nobody join what is under way for a key with that name; it goes on for who waits."""
        for key, purpose in list(self._tasks):
            if key == name or (isinstance(key, tuple) and name in key):
                self._disowned.add(self._tasks.pop((key, purpose)))
                self._last.pop(key, None)

    async def settle(self, patience: timedelta) -> None:
        """Let what is under way end by itself, for so long."""
        if tasks := [*self._tasks.values(), *self._disowned]:
            await asyncio.wait(tasks, timeout=patience.total_seconds())

    async def aclose(self) -> None:
        """End what is under way."""
        tasks = [*self._tasks.values(), *self._disowned]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, key: Hashable, purpose: str, task: asyncio.Task[T]) -> None:
        if self._tasks.get((key, purpose)) is task:
            del self._tasks[key, purpose]
        if self._last.get(key) is task:
            del self._last[key]
        self._disowned.discard(task)
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, GatewayError):
            _log.error("fetch broke", key=str(key), purpose=purpose, exc_info=error)


async def _after(before: asyncio.Task[T] | None, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    if before is not None:
        await asyncio.wait({before})
    return await work()
