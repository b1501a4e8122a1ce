"""
Requests begin one by one, so that the event loop comes round often however many there are.

Each turn of the loop runs a step of every request that can go on. Were all begun at once, a turn
would take as long as all of their steps, and a refusal would wait for some such turns. With one
begun in each turn it takes about as long as one request costs, whatever that is. A request that
waits for others is not delayed: the turns of a loop with nothing to do take microseconds.
"""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Receive, Scope, Send


class Turns:
    """Lets one request begin in a turn of the event loop, in the order in which they came."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._mine()
        await self._app(scope, receive, send)

    async def _mine(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._is_taken:
            self._is_taken = True
            loop.call_soon(self._pass_on)
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _pass_on(self) -> None:
        """Give the turn that begins to the first who still waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._pass_on)
                return
        self._is_taken = False
