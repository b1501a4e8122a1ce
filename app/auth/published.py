"""
The keys that an issuer publishes, as they are known here and when they are read again.

Known keys are read again behind the callers' backs. Only an id that nobody knows, or no keys at
all, is worth waiting for, and not again within a pause, however many ask.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from app.auth.key_server import KeysUnreadable
from app.auth.keys import Key
from app.model.clock import Clock
from app.model.errors import UpstreamUnavailable

# An issuer that withdraws a key means it: tokens of it end within this and one exchange.
_READ_EVERY = timedelta(minutes=10)
# A key server's outage is nobody's reason to be shut out; a key server lost for good is.
_USED_FOR = timedelta(hours=24)
_PAUSE = timedelta(minutes=1)
# Without any keys nobody is served.
_PAUSE_WITHOUT_KEYS = timedelta(seconds=5)

_log = structlog.get_logger("auth")


class PublishedKeys:
    """A `KeySource` over `read`, which asks the key server; close it after use."""

    def __init__(self, read: Callable[[], Awaitable[tuple[Key, ...]]], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._keys: tuple[Key, ...] = ()
        self._read_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._missed_at: datetime | None = None
        self._reading: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read, so that the first caller need not wait for it."""
        self._begin()

    async def find(self, key_id: str | None, algorithm: str) -> Key | None:
        self._keep_fresh()
        if not self._usable():
            await self._wait()
        if not self._usable():
            raise UpstreamUnavailable("The keys to verify tokens cannot be read now; try again.")
        found = self._pick(key_id, algorithm)
        if found is None:
            await self._look_again()
            found = self._pick(key_id, algorithm)
        return found

    def holds(self, key: Key) -> bool:
        self._keep_fresh()
        return self._usable() and key in self._keys

    async def aclose(self) -> None:
        if self._reading:
            self._reading.cancel()
            await self._wait()

    def _pick(self, key_id: str | None, algorithm: str) -> Key | None:
        """Choose a key; without an id only where there is no choice."""
        fitting = [key for key in self._keys if algorithm in key.algorithms]
        if key_id is not None:
            fitting = [key for key in fitting if key.id == key_id]
        return fitting[0] if len(fitting) == 1 else None

    def _usable(self) -> bool:
        return self._within(self._read_at, _USED_FOR)

    def _keep_fresh(self) -> None:
        pause = _PAUSE if self._usable() else _PAUSE_WITHOUT_KEYS
        if not self._within(self._read_at, _READ_EVERY) and not self._within(self._asked_at, pause):
            self._begin()

    async def _look_again(self) -> None:
        if self._reading is None:
            if self._within(self._missed_at, _PAUSE):
                return
            self._missed_at = self._clock()
            self._begin()
        await self._wait()

    def _within(self, since: datetime | None, limit: timedelta) -> bool:
        """Say whether so little time has passed; a clock that was set back has passed it."""
        return since is not None and timedelta(0) <= self._clock() - since < limit

    def _begin(self) -> None:
        if self._reading is None:
            self._asked_at = self._clock()
            self._reading = asyncio.create_task(self._ask())

    async def _wait(self) -> None:
        # The read goes on when the caller who waits for it goes away.
        if self._reading:
            await asyncio.wait([self._reading])

    async def _ask(self) -> None:
        try:
            self._keys = await self._read()
            self._read_at = self._clock()
        except KeysUnreadable as error:
            _log.warning("keys unreadable", why=str(error), known=len(self._keys))
        finally:
            self._reading = None
