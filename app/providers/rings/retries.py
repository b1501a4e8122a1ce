"""Asking again what a provider could not answer, for as long as that is rarely needed."""

import asyncio
from collections.abc import Awaitable, Callable
from secrets import SystemRandom
from typing import TypeVar

from app.model.errors import UpstreamUnavailable
from app.providers.call import Call, NotAsked

T = TypeVar("T")

# The most seconds before the second and the third try: full jitter, so that callers who failed
# together come back apart.
_PAUSES: tuple[float | None, ...] = (0.2, 0.4, None)
_ONCE: tuple[float | None, ...] = (None,)
# Each call allows a fifth of another try, over all calls: a provider that is dead is asked 1.2
# times as often as there are calls. The first calls may have two more tries, so that a connection
# that was lost at the start is no failure.
_SHARE = 0.2
_FLOOR = 2.0
# A burst of failures in a good time may use up the shares of the last fifty calls.
_MOST = 10.0

_chance = SystemRandom()


class Retries:
    """Tries a read up to three times while the provider is unavailable and does not say how long.

    `may_again` says of a call whether the other rings let it be sent once more.
    """

    def __init__(self, may_again: Callable[[Call], Awaitable[bool]]) -> None:
        self._may_again = may_again
        self._budget = _FLOOR

    async def around(self, call: Call, send: Callable[[], Awaitable[T]]) -> T:
        self._budget = min(self._budget + _SHARE, _MOST)
        seen: UpstreamUnavailable | None = None
        try:
            for pause in _PAUSES if call.is_read else _ONCE:
                try:
                    return await send()
                except NotAsked as error:
                    raise (seen or error) from None
                except UpstreamUnavailable as error:
                    seen = error
                    if pause is None or error.retry_at or not await self._is_allowed(call):
                        raise
                await asyncio.sleep(_chance.uniform(0, pause))
        except asyncio.CancelledError as gone:
            raise gone from seen  # for the deadline, which may have ended it
        raise AssertionError  # pragma: no cover - the last try returns or raises

    async def _is_allowed(self, call: Call) -> bool:
        if self._budget < 1:
            return False
        self._budget -= 1
        if await self._may_again(call):
            return True
        self._budget += 1
        return False
