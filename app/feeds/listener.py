"""One listener: what it has been told and not taken yet."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

from app.model.accounts import Account
from app.model.entries import Entry
from app.model.errors import GatewayError, TooSlow

# What one refresh can bring at most, five pages of a hundred, so that no listener is dropped that
# takes what it is told before the next one. Entries are shared by all who are told of them.
MOST_WAITING = 500


class News(NamedTuple):
    """An entry that is new, or a payment that has changed."""

    account: Account
    entry: Entry


class Listener:
    """Iterates over news, oldest first for each account, until it is closed or ended.

    It raises why it was ended: `TooSlow` where too much was waiting for it, `NotFound` where the
    customer is gone. `leave` is called once, as soon as it needs nothing more to be told.
    """

    def __init__(self, leave: Callable[["Listener"], None]) -> None:
        self._leave = leave
        self._waiting: deque[News] = deque()
        self._changed = asyncio.Event()
        self._is_over = False
        self._error: GatewayError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> News:
        while not self._waiting:
            if self._is_over:
                error, self._error = self._error, None
                raise error or StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._waiting.popleft()

    def tell(self, news: Sequence[News]) -> None:
        """Let it have what is new; end it where it has not taken what it was told before."""
        if self._is_over:
            return
        if len(self._waiting) + len(news) > MOST_WAITING:
            self._waiting.clear()
            self.end(
                TooSlow(
                    f"More than {MOST_WAITING} events wait to be read; subscribe again, then read "
                    "the history for what was missed."
                )
            )
            return
        self._waiting.extend(news)
        self._changed.set()

    def end(self, error: GatewayError | None = None) -> None:
        """Tell it nothing more; it ends with the error after what it has been told."""
        if self._is_over:
            return
        self._is_over, self._error = True, error
        self._changed.set()
        self._leave(self)

    async def aclose(self) -> None:
        """End it now, without what it has not taken."""
        self.end()
        self._waiting.clear()
        self._error = None
