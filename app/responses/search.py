"""
Looks for answers in Redis: equal questions are one, and what many ask for costs one round trip.

What is asked for while others are looked for waits for them, so that the more is asked for at a
time the less of a round trip each one costs. Nobody is given what was looked for before it asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

R = TypeVar("R")
T = TypeVar("T")

# A round trip brings some megabytes at most.
_MOST_AT_ONCE = 50
# With one, Redis and this process would wait for each other in turn.
_MOST_READINGS = 2


class Search(Generic[R, T]):
    """Finds by keys: what is `read` of many at once is judged, and what is nothing is left out."""

    def __init__(
        self,
        read: Callable[[Sequence[bytes]], Awaitable[R]],
        judge: Callable[[R], Awaitable[Mapping[bytes, T]]],
    ) -> None:
        self._read = read
        self._judge = judge
        self._sought: dict[bytes, list[asyncio.Future[T | None]]] = {}
        self._reading = 0
        self._under_way: set[asyncio.Task[None]] = set()

    async def find(self, key: bytes) -> T | None:
        """Return what is found under a key, None for nothing; raises as it is read and judged."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T | None] = loop.create_future()
        if not self._sought:
            # What else this turn of the event loop asks for goes along.
            loop.call_soon(self._begin)
        self._sought.setdefault(key, []).append(waiting)
        return await waiting

    async def aclose(self) -> None:
        """End what is being looked for: it is not found."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _begin(self) -> None:
        while self._sought and self._reading < _MOST_READINGS:
            keys = list(islice(self._sought, _MOST_AT_ONCE))
            sought = {key: self._sought.pop(key) for key in keys}
            self._reading += 1
            task = asyncio.get_running_loop().create_task(self._find(sought))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _find(self, sought: Mapping[bytes, Sequence[asyncio.Future[T | None]]]) -> None:
        found: Mapping[bytes, T] = {}
        problem: Exception | None = None
        try:
            found = await self._judge(await self._came(list(sought)))
        except Exception as error:  # noqa: BLE001 - it is for whoever waits
            problem = error
        finally:
            for key, waiting in sought.items():
                for one in waiting:
                    if one.done():  # who asked has gone away
                        continue
                    if problem:
                        one.set_exception(problem)
                    else:
                        one.set_result(found.get(key))

    async def _came(self, keys: Sequence[bytes]) -> R:
        try:
            return await self._read(keys)
        finally:
            self._reading -= 1
            self._begin()
