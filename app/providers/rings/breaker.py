"""
Leaving alone a provider that does not work, and finding out carefully when it does again.

The circuit opens when five calls or more failed, and that was half of what was asked last: a single
lost connection among good answers opens nothing, a dead provider is asked five times in quiet times
and ten times in busy ones. It stays open for a second, then twice as long each time, thirty
seconds at most. Then one call goes through as a probe: an answer closes the circuit, whatever it
says of the credentials. Others are refused meanwhile, as waiting for it would only gather them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, TypeVar

from app.model.clock import Clock
from app.model.errors import GatewayError, UpstreamError, UpstreamTimeout, UpstreamUnavailable
from app.providers.call import Call, CircuitOpen, NotAsked, Unreadable
from app.providers.health import Health
from app.providers.waiting import LONGEST_WAIT

T = TypeVar("T")

_FEWEST_FAILURES = 5
_LAST = 20
# Five calls in a row that all time out are within it, as a window is as long as six of them.
_SHORTEST_WINDOW = timedelta(seconds=30)
_TIMEOUTS = 6
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
_DOUBLINGS = 5
_JITTER = (0.8, 1.2)

_chance = SystemRandom()


class Breaker:
    """The circuit to one provider, in this process."""

    def __init__(self, name: str, clock: Clock, timeout: timedelta, health: Health) -> None:
        self._name = name
        self._clock = clock
        self._window = max(_SHORTEST_WINDOW, _TIMEOUTS * timeout)
        self._health = health
        self._outcomes: deque[tuple[datetime, bool]] = deque(maxlen=_LAST)
        self._open_until: datetime | None = None
        self._prober: asyncio.Task[Any] | None = None
        self._times = 0
        # How often it opened: what was sent before tells nothing of the time after.
        self._era = 0

    @property
    def is_closed(self) -> bool:
        return self._open_until is None

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        del call
        self._enter()
        era = self._era
        try:
            result = await send()
        except NotAsked:
            raise
        except UpstreamError as error:
            if isinstance(error, UpstreamUnavailable | UpstreamTimeout | Unreadable):
                self._failed(era, error)
            else:
                self._answered(era)
            raise
        except GatewayError:
            self._answered(era)
            raise
        else:
            self._answered(era)
            return result
        finally:
            if self._is_prober():
                self._prober = None

    def refuse(self) -> None:
        """Raise `CircuitOpen` to whoever is not the probe; for calls that have waited."""
        if self._open_until is None or self._is_prober():
            return
        # Whoever is refused because of a probe finds out soon how that went.
        soon = self._clock() + _FIRST_PAUSE
        at = self._open_until if self._is_resting(self._open_until) else soon
        raise CircuitOpen(f"{self._name} failed too often just now.", retry_at=at)

    def _enter(self) -> None:
        if self._open_until and self._prober is None and not self._is_resting(self._open_until):
            self._prober = asyncio.current_task()
        self.refuse()

    def _is_resting(self, until: datetime) -> bool:
        # One that seems longer than any may be began before the clock was put back.
        return timedelta(0) < until - self._clock() <= LONGEST_WAIT

    def _is_prober(self) -> bool:
        return self._prober is not None and self._prober is asyncio.current_task()

    def _answered(self, era: int) -> None:
        if self._is_prober():
            self._open_until, self._times = None, 0
            self._outcomes.clear()
            self._health.closed()
        elif era == self._era:
            self._outcomes.append((self._clock(), False))
            self._health.succeeded()

    def _failed(self, era: int, error: UpstreamError) -> None:
        now = self._clock()
        if self._is_prober():
            self._open(now, error)
        elif era == self._era and self.is_closed:
            self._outcomes.append((now, True))
            self._health.failed()
            recent = [failed for at, failed in self._outcomes if now - at <= self._window]
            if sum(recent) >= max(_FEWEST_FAILURES, len(recent) / 2):
                self._era += 1
                self._open(now, error)

    def _open(self, now: datetime, error: UpstreamError) -> None:
        pause = min(_FIRST_PAUSE * 2 ** min(self._times, _DOUBLINGS), _LONGEST_PAUSE)
        self._times += 1
        until = now + pause * _chance.uniform(*_JITTER)
        # Who says for how long it is away is not probed before.
        self._open_until = max(until, error.retry_at or until)
        self._health.opened()
