"""Leaving alone whom a provider asked to slow down, until the time that it said."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from secrets import SystemRandom
from typing import NamedTuple, TypeVar

from app.metrics.metrics import Metrics
from app.model.clock import Clock
from app.model.errors import UpstreamRateLimited
from app.providers.call import Call, NotAsked, TooSoon
from app.providers.health import Health
from app.providers.waiting import LONGEST_WAIT

T = TypeVar("T")

# Where nothing is said, as CareCloud's practices have it: 1, 2, 4 … seconds, and a fifth by chance.
_FIRST = timedelta(seconds=1)
_LONGEST = timedelta(seconds=30)
_BY_CHANCE = 0.2
_ALL = ""
_REMEMBERED = 10_000

_chance = SystemRandom()


class _Pause(NamedTuple):
    until: datetime
    times: int


class Pauses:
    """Pauses one credential after an HTTP 429, or all of them where that is `of_all`."""

    def __init__(
        self, name: str, clock: Clock, health: Health, metrics: Metrics, *, of_all: bool
    ) -> None:
        self._name = name
        self._clock = clock
        self._health = health
        self._metrics = metrics
        self._of_all = of_all
        self._pauses: OrderedDict[str, _Pause] = OrderedDict()

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        self.refuse(call)
        try:
            result = await send()
        except UpstreamRateLimited as error:
            if not isinstance(error, NotAsked):
                self._begin(self._whose(call), error)
            raise
        self._forget(self._whose(call))
        return result

    def refuse(self, call: Call) -> None:
        """Raise `TooSoon` during a pause."""
        pause = self._pauses.get(self._whose(call))
        if pause and self._is_on(pause):
            raise TooSoon(f"{self._name} asks for fewer requests.", retry_at=pause.until)

    def _whose(self, call: Call) -> str:
        return _ALL if self._of_all else call.credential

    def _is_on(self, pause: _Pause) -> bool:
        # One that seems longer than any may be began before the clock was put back.
        return timedelta(0) < pause.until - self._clock() <= LONGEST_WAIT

    def _begin(self, who: str, error: UpstreamRateLimited) -> None:
        before = self._pauses.pop(who, None)
        # Calls that were under way together are asked to slow down once.
        is_on = before is not None and self._is_on(before)
        times = (before.times if before else 0) + (not is_on)
        self._metrics.pauses.add(self._name, amount=not is_on)
        if error.retry_at is None:
            wait = min(_FIRST * 2 ** min(times - 1, 10), _LONGEST)
            error.retry_at = self._clock() + wait * _chance.uniform(1, 1 + _BY_CHANCE)
        until = max(before.until, error.retry_at) if before and is_on else error.retry_at
        self._pauses[who] = _Pause(until, times)
        self._health.slowed(until)
        if len(self._pauses) > _REMEMBERED:
            self._pauses.popitem(last=False)

    def _forget(self, who: str) -> None:
        pause = self._pauses.get(who)
        if pause and not self._is_on(pause):
            del self._pauses[who]
