"""
The feeds of all customers that somebody listens to, one for each customer and stream.

While nobody listens there is no task and no call. Which accounts a customer has is read again
every few seconds, for all customers at once, and when what is known of an account was purged.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from contextvars import Context
from functools import partial

import structlog

from app.directory.directory import Directory
from app.feeds.feed import Feed
from app.feeds.listener import Listener
from app.feeds.watch import Watch
from app.mirror.mirror import Mirror
from app.model.accounts import Account, Customer
from app.model.clock import Clock
from app.model.entries import Stream
from app.model.errors import NotFound
from app.providers.page import Provider, supports

_log = structlog.get_logger("feeds")

# So soon it is known that another process linked or unlinked an account, where no word of it comes.
_READ_EVERY_SECONDS = 5.0
_SHORTEST_PAUSE = 0.2


class Feeds:
    """Tells listeners what is new in the histories of customers."""

    def __init__(
        self, mirror: Mirror, directory: Directory, providers: Mapping[str, Provider], clock: Clock
    ) -> None:
        self._mirror = mirror
        self._directory = directory
        self._providers = providers
        self._clock = clock
        self._feeds: dict[tuple[str, Stream], Feed] = {}
        self._roster: asyncio.Task[None] | None = None
        self._doubt = asyncio.Event()
        # All that run or are just ending.
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, customer: Customer, stream: Stream) -> Listener:
        """Return a listener to a customer's stream; it is to be closed.

        It is told each entry that was not in the history when it began: as it was known then where
        that was fresh, else as its provider told it then, or as it was last known where the
        provider could not answer. An account that is linked later begins likewise.
        """
        key = (customer.id, stream)
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(partial(self._watch, stream), partial(self._left, key))
        listener = feed.join()
        self._keep_up()
        try:
            if not feed.is_known.is_set():
                await self._reread([key])
            await feed.begun()
        except BaseException:
            await listener.aclose()
            raise
        return listener

    def listening(self) -> dict[Stream, int]:
        """Return how many listeners each stream has."""
        return {
            stream: sum(feed.listening for (_, of), feed in self._feeds.items() if of is stream)
            for stream in Stream
        }

    async def aclose(self) -> None:
        """End all listeners, as if nothing were new any more."""
        for feed in list(self._feeds.values()):
            feed.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _watch(self, stream: Stream, feed: Feed, account: Account) -> Watch:
        watch = Watch(
            self._mirror,
            account,
            stream,
            self._clock,
            is_current=self._is_current,
            tell=feed.tell,
            gone=self._doubt.set,
        )
        self._note(watch.task)
        return watch

    def _left(self, key: tuple[str, Stream], feed: Feed) -> None:
        if self._feeds.get(key) is feed:
            del self._feeds[key]
        if not self._feeds and self._roster:
            self._roster.cancel()
            self._roster = None

    def _keep_up(self) -> None:
        if self._roster is None:
            # As a watch, it belongs to no request.
            self._roster = asyncio.create_task(self._reread_for_ever(), context=Context())
            self._note(self._roster)

    def _note(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reread_for_ever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_READ_EVERY_SECONDS):
                    await self._doubt.wait()
            self._doubt.clear()
            try:
                await self._reread(list(self._feeds))
            except Exception as error:  # noqa: BLE001 - whatever happened, it is read again
                _log.warning("the accounts of listeners cannot be read", error=type(error).__name__)
            await asyncio.sleep(_SHORTEST_PAUSE)

    async def _reread(self, keys: Iterable[tuple[str, Stream]]) -> None:
        """Watch the accounts that these customers have now; end the feeds of those who are gone."""
        feeds = {key: self._feeds[key] for key in keys}
        ids = sorted({customer_id for customer_id, _ in feeds})
        customers = await self._directory.customers_by_id(ids)
        linked = await self._directory.accounts_by_customer(ids)
        there = {
            customer_id: accounts
            for customer_id, customer, accounts in zip(ids, customers, linked, strict=True)
            if customer
        }
        for (customer_id, stream), feed in feeds.items():
            if customer_id in there:
                feed.watch(self._able(there[customer_id], stream))
            else:
                feed.end(NotFound("There is no such customer."))

    def _able(self, accounts: Iterable[Account], stream: Stream) -> dict[str, Account]:
        return {
            account.id: account
            for account in accounts
            if account.provider in self._providers
            and supports(self._providers[account.provider], stream)
        }

    async def _is_current(self, account: Account) -> bool:
        (found,) = await self._directory.accounts_by_id([account.id])
        return found is not None and found.revision == account.revision
