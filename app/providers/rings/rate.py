"""
How often a provider is asked with one credential, counted over all processes.

Who comes too soon waits, in the order of coming and holding no place: a long history is read at the
provider's rate instead of failing. The wait is not part of the call's `timeout`. Who would wait too
long is told when to come again, and is not sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog

from app.metrics.metrics import Metrics
from app.model.clock import Clock
from app.providers.call import Call, OwnRate
from app.redis import rates

T = TypeVar("T")

# Enough for sixty calls in line at the rate by default; requests give up long before, and what
# they started goes on for whoever asks again.
_PATIENCE_SECONDS = 30.0
# Credentials are renewed in a turn that ends, so that their renewal cannot wait as long.
_PATIENCE_OF_WRITES_SECONDS = 5.0
# A token may come a little later than was said, as a process that is asked last is told last.
_SHORTEST_WAIT_SECONDS = 0.01
# Who asks as often as the rate allows runs out of it again and again; it is told once, until there
# was enough for so long.
_ENOUGH_FOR = timedelta(minutes=5)

_log = structlog.get_logger("providers")
# Redis alone may take a little less than that.
_LEAST_TOLD_SECONDS = 0.15


@dataclass(eq=False)
class _Line:
    """Those who wait for a token of one credential."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0
    # When the first of them has its token, by the event loop's clock.
    first_at: float = float("-inf")


class Rate:
    """Counts in `rates`; where that is None, nothing is counted.

    `is_calm` says of a call whether there is time to wait: whoever probes a provider for others has
    none.
    """

    def __init__(
        self,
        name: str,
        rate: rates.Rate,
        counted: rates.Rates | None,
        timeout: timedelta,
        clock: Clock,
        is_calm: Callable[[Call], bool],
        metrics: Metrics,
    ) -> None:
        self._name = name
        self._rate = rate
        self._counted = counted
        self._writes_seconds = min(timeout.total_seconds(), _PATIENCE_OF_WRITES_SECONDS)
        self._each_seconds = rate.per.total_seconds() / rate.count
        self._clock = clock
        self._is_calm = is_calm
        self._metrics = metrics
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()
        self._ran_out_at: datetime | None = None

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        if self._counted is not None and not self._allows_at_once(call, self._counted):
            began = asyncio.get_running_loop().time()
            try:
                await self._wait(call, self._counted)
            finally:
                self._tell(asyncio.get_running_loop().time() - began)
        return await send()

    async def allows(self, call: Call) -> bool:
        """Count another try, and say whether there is a token for it now."""
        if self._counted is None:
            return True
        return (await self._counted.take(self._who(call), self._rate)).allowed

    def _allows_at_once(self, call: Call, counted: rates.Rates) -> bool:
        """Count the call where nobody is in line before it, and there is a token for it already."""
        if call.credential in self._lines:
            return False
        allowance = counted.take_at_once(self._who(call), self._rate)
        return allowance is not None and allowance.allowed

    def _who(self, call: Call) -> str:
        return f"{self._name} {call.credential}"

    async def _wait(self, call: Call, counted: rates.Rates) -> None:
        line = self._lines.setdefault(call.credential, _Line())
        patience = self._patience_seconds(call)
        now = asyncio.get_running_loop().time()
        until = now + patience
        if line.first_at > now:
            self._ran_out()
            wait = line.first_at - now + line.length * self._each_seconds
            if wait > patience:
                raise self._too_soon(wait)
        line.length += 1
        try:
            async with asyncio.timeout_at(until) as limit, line.turn:
                limit.reschedule(None)  # what is left is weighed before each wait
                await self._first_in(line, call, counted, until)
        except TimeoutError:
            raise self._too_soon(line.length * self._each_seconds) from None
        finally:
            line.length -= 1

    async def _first_in(self, line: _Line, call: Call, counted: rates.Rates, until: float) -> None:
        time = asyncio.get_running_loop().time
        while not (allowance := await counted.take(self._who(call), self._rate)).allowed:
            self._ran_out()
            wait = max(allowance.retry_after_seconds, _SHORTEST_WAIT_SECONDS)
            line.first_at = time() + wait
            if line.first_at > until:
                raise self._too_soon(wait)
            await asyncio.sleep(wait)

    def _ran_out(self) -> None:
        """Tell an operator that the configured rate holds calls back, once in a stretch of it."""
        before, self._ran_out_at = self._ran_out_at, self._clock()
        # A clock that was put back makes it a new stretch.
        if before is None or not timedelta(0) <= self._ran_out_at - before < _ENOUGH_FOR:
            limit = f"{self._rate.count} in {self._rate.per.total_seconds():g} s"
            _log.warning("provider's rate is used up", provider=self._name, limit=limit)

    def _patience_seconds(self, call: Call) -> float:
        if not self._is_calm(call):
            return 0.0
        return _PATIENCE_SECONDS if call.is_read else self._writes_seconds

    def _tell(self, seconds: float) -> None:
        if seconds >= _LEAST_TOLD_SECONDS:
            self._metrics.rate_waits.add(self._name)
            self._metrics.rate_wait_seconds.add(self._name, amount=seconds)

    def _too_soon(self, seconds: float) -> OwnRate:
        at = self._clock() + timedelta(seconds=seconds)
        return OwnRate(f"{self._name} is asked as often as its rate allows.", retry_at=at)
