"""
Leaving alone a provider that does not work, and finding out carefully when it does again.

The circuit opens when five calls or more failed, and that was half of what was asked last: a single
lost connection among good answers opens nothing, a dead provider is asked five times in quiet times
and ten times in busy ones. It stays open for a second, then twice as long each time, thirty
seconds at most. Then one call goes through as a probe: an answer closes the circuit, whatever it
says of the credentials. Others are refused meanwhile, as waiting for it would only gather them.

What an account has may be what a provider fails at. So where only one account's calls failed, the
circuit is open to that one alone; the next failure of another's, unless most of those are answered,
opens it to all.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import Any, NamedTuple, TypeVar

import structlog

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
_log = structlog.get_logger("providers")


class _Outcome(NamedTuple):
    at: datetime
    failed: bool
    account: str


class Breaker:
    """The circuit to one provider, in this process."""

    def __init__(self, name: str, clock: Clock, timeout: timedelta, health: Health) -> None:
        self._name = name
        self._clock = clock
        self._window = max(_SHORTEST_WINDOW, _TIMEOUTS * timeout)
        self._health = health
        self._outcomes: deque[_Outcome] = deque(maxlen=_LAST)
        self._open_until: datetime | None = None
        # To whom alone it is open; None for all.
        self._only: str | None = None
        self._is_apart = False
        self._prober: asyncio.Task[Any] | None = None
        self._times = 0
        # How often it opened: what was sent before tells nothing of the time after.
        self._era = 0

    def is_closed_to(self, call: Call) -> bool:
        """Say whether the call is one of many, and no probe."""
        return self._open_until is None or self._only not in {None, call.account}

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        self._enter(call)
        era = self._era
        try:
            result = await send()
        except NotAsked:
            raise
        except UpstreamError as error:
            if isinstance(error, UpstreamUnavailable | UpstreamTimeout | Unreadable):
                self._failed(call, era, error)
            else:
                self._answered(call, era)
            raise
        except GatewayError:
            self._answered(call, era)
            raise
        else:
            self._answered(call, era)
            return result
        finally:
            if self._is_prober():
                self._prober = None

    def refuse(self, call: Call) -> None:
        """Raise `CircuitOpen` to whoever is not the probe; for calls that have waited."""
        if self._open_until is None or self.is_closed_to(call) or self._is_prober():
            return
        # Whoever is refused because of a probe finds out soon how that went.
        soon = self._clock() + _FIRST_PAUSE
        at = self._open_until if self._is_resting(self._open_until) else soon
        raise CircuitOpen(f"{self._name} failed too often just now.", retry_at=at)

    def _enter(self, call: Call) -> None:
        is_concerned = self._open_until is not None and not self.is_closed_to(call)
        if is_concerned and self._prober is None and not self._is_resting(self._open_until):
            self._prober = asyncio.current_task()
        self.refuse(call)

    def _is_resting(self, until: datetime | None) -> bool:
        # One that seems longer than any may be began before the clock was put back.
        return until is not None and timedelta(0) < until - self._clock() <= LONGEST_WAIT

    def _is_prober(self) -> bool:
        return self._prober is not None and self._prober is asyncio.current_task()

    def _answered(self, call: Call, era: int) -> None:
        if self._is_prober():
            self._close()
        elif era == self._era:
            self._outcomes.append(_Outcome(self._clock(), failed=False, account=call.account))
            self._health.succeeded()
            self._set_apart()

    def _failed(self, call: Call, era: int, error: UpstreamError) -> None:
        if not self._is_prober() and (era != self._era or not self.is_closed_to(call)):
            return
        now = self._clock()
        self._outcomes.append(_Outcome(now, failed=True, account=call.account))
        if self._is_prober():
            self._open(now, error)
            return
        self._health.failed()
        recent = [one for one in self._outcomes if now - one.at <= self._window]
        failures = Counter(one.account for one in recent if one.failed)
        if failures.total() >= max(_FEWEST_FAILURES, len(recent) / 2):
            ((worst, _),) = failures.most_common(1)
            others = [one.failed for one in recent if one.account != worst]
            is_only = sum(others) < len(others) / 2 or not others
            self._open_anew(worst if is_only else None)
            if is_only and others:
                self._set_apart()
            else:
                self._health.opened()
            self._open(now, error)

    def _open_anew(self, only: str | None) -> None:
        self._era += 1
        self._times = 0
        self._only, self._is_apart = only, False

    def _set_apart(self) -> None:
        """Note that others than the one to whom it is open are answered."""
        if self._only is not None and not self._is_apart:
            self._is_apart = True
            self._health.closed()
            _log.warning("account left alone", provider=self._name, account=self._only)

    def _open(self, now: datetime, error: UpstreamError) -> None:
        pause = min(_FIRST_PAUSE * 2 ** min(self._times, _DOUBLINGS), _LONGEST_PAUSE)
        self._times += 1
        until = now + pause * _chance.uniform(*_JITTER)
        # Who says for how long it is away is not probed before.
        self._open_until = max(until, error.retry_at or until)

    def _close(self) -> None:
        if self._is_apart:
            _log.info("account asked again", provider=self._name, account=self._only)
        self._open_until, self._only, self._is_apart, self._times = None, None, False, 0
        self._outcomes.clear()
        self._health.closed()
