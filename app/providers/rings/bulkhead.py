"""No more calls at once than a provider is to have, so that a slow one holds up nobody else."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from app.metrics.metrics import Metrics
from app.providers.call import Call, Crowded

T = TypeVar("T")


class Bulkhead:
    """Has so many places. Who gets none within `patience` is not sent."""

    def __init__(self, name: str, places: int, patience: timedelta, metrics: Metrics) -> None:
        self._name = name
        self._places = asyncio.Semaphore(places)
        self._patience_seconds = patience.total_seconds()
        self._waiting = metrics.places_waited_for.labels(name)

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        del call
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        try:
            return await send()
        finally:
            self._places.release()

    async def _wait(self) -> None:
        try:
            with self._waiting.track_inprogress():
                async with asyncio.timeout(self._patience_seconds):
                    await self._places.acquire()
        except TimeoutError:
            raise Crowded(f"{self._name} is asked too much at once.") from None
