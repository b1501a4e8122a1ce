"""
Requests begin a few at a time while the processor is busy, so that the event loop comes round.

Each turn of the loop runs a step of every request that can go on. Were hundreds begun at once, a
refusal would wait for hundreds of steps, and each of them would cost more. While the processor is
idle, as requests wait for others, all begin; so a provider that is slow delays nobody.
"""

import asyncio
from collections import deque
from datetime import timedelta
from time import perf_counter, process_time

from starlette.types import ASGIApp, Receive, Scope, Send

# Measured with a page of ten entries that is known: 277 answers a second with 8 begun at once, 240
# with 32, 200 with 200.
_AT_ONCE = 8
_LOOK_EVERY = timedelta(milliseconds=5).total_seconds()
# As much of a processor as threads leave each other, or as late as a turn with some steps.
_BUSY_SHARE = 0.5
_LATE = timedelta(milliseconds=3).total_seconds()
# Whoever is not answered by then waits for others: eight that compute need some 30 ms.
_COMPUTES_FOR = timedelta(milliseconds=100).total_seconds()


class Turns:
    """Lets requests begin in the order in which they came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # When those began that are not known to wait, the earliest first.
        self._begun: dict[asyncio.Future[None], float] = {}
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._looks = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if len(self._waiting) == 1:
            self._let_begin(_AT_ONCE - len(self._begun))
        if self._waiting and not self._looks:
            self._looks = True
            self._look_later()
        try:
            await turn
            await self._app(scope, receive, send)
        finally:
            self._begun.pop(turn, None)
            self._let_begin(_AT_ONCE - len(self._begun))

    def _look_later(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_LOOK_EVERY, self._look, perf_counter(), process_time())

    def _look(self, looked_at: float, used: float) -> None:
        """Let begin whom the processor has time for, and look again while somebody waits."""
        now = perf_counter()
        passed = now - looked_at
        is_busy = passed > _LOOK_EVERY + _LATE or process_time() - used > passed * _BUSY_SHARE
        for one, at in list(self._begun.items()):
            if now - at < _COMPUTES_FOR:
                break
            del self._begun[one]
        self._let_begin(_AT_ONCE - len(self._begun) if is_busy else _AT_ONCE)
        self._looks = bool(self._waiting)
        if self._looks:
            self._look_later()

    def _let_begin(self, most: int) -> None:
        while self._waiting and most > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._begun[turn] = perf_counter()
                most -= 1
