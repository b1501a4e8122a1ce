"""What is new in one stream of a customer's accounts, for all who listen to it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from weakref import WeakSet, finalize

from app.feeds.listener import Listener, News
from app.feeds.watch import Watch
from app.model.accounts import Account
from app.model.entries import Entry
from app.model.errors import GatewayError

# As long as a provider may take to answer, unless configured otherwise.
_SECONDS_TO_BEGIN = 5.0


class Feed:
    """The listeners, and a watch for each account while there are any.

    `watch` starts to watch an account. `left` is called once nobody listens any more.
    """

    def __init__(
        self, watch: Callable[["Feed", Account], Watch], left: Callable[["Feed"], None]
    ) -> None:
        self._watch = watch
        self._left = left
        # Who lets go of a listener without closing it does not keep the feed alive.
        self._listeners: WeakSet[Listener] = WeakSet()
        self._watches: dict[str, Watch] = {}
        self._is_over = False
        self.is_known = asyncio.Event()

    @property
    def listening(self) -> int:
        """How many listeners there are."""
        return len(self._listeners)

    def join(self) -> Listener:
        """Return a listener who is told what is new from now on."""
        listener = Listener(self._leave)
        self._listeners.add(listener)
        loop = asyncio.get_running_loop()
        finalize(listener, _soon, loop, self._look_for_listeners).atexit = False
        return listener

    def watch(self, accounts: Mapping[str, Account]) -> None:
        """Watch these accounts, by their ids, and no others; a new one begins with nothing new."""
        self.is_known.set()
        for account_id, watch in list(self._watches.items()):
            account = accounts.get(account_id)
            if account is None or account.revision != watch.account.revision:
                self._watches.pop(account_id).end()
            else:
                watch.account = account
        for account_id, account in accounts.items():
            if account_id not in self._watches and not self._is_over:
                self._watches[account_id] = self._watch(self, account)

    def tell(self, account: Account, entries: Sequence[Entry]) -> None:
        news = [News(account, entry) for entry in entries]
        for listener in list(self._listeners):
            listener.tell(news)

    async def begun(self) -> None:
        """Return when each account was looked at once, or its provider takes too long for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_BEGIN):
                await self.is_known.wait()
                for watch in list(self._watches.values()):
                    await watch.began.wait()

    def end(self, error: GatewayError | None = None) -> None:
        """End all listeners, and so the feed."""
        for listener in list(self._listeners):
            listener.end(error)

    def _leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)
        self._look_for_listeners()

    def _look_for_listeners(self) -> None:
        if self._is_over or any(True for _ in self._listeners):
            return
        self._is_over = True
        self.watch({})
        self._left(self)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    """Call it on the loop, from whichever thread, unless the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call)
