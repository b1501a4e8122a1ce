"""
Reads histories from mirrors, and keeps the mirrors fresh and deep enough.

A fresh mirror is served as it is. A stale one is served too, while one refresh runs; where there is
none, or only one that is too old, the refresh is waited for. What the provider refuses is not asked
again before its time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from app.mirror.crawl import ReadPage, deepened, reaches, read_anew, refreshed
from app.mirror.failures import Failures
from app.mirror.flights import Flights
from app.mirror.memory import Memory
from app.mirror.snapshot import Snapshot
from app.mirror.store import MirrorStore
from app.model.accounts import Account, AccountStatus
from app.model.clock import Clock
from app.model.entries import Stream
from app.model.errors import UpstreamError, UpstreamUnauthorized
from app.providers.page import Page, Provider

# However fresh a caller wants a history, its provider is not asked more often for it.
_AT_MOST_ONCE_IN = timedelta(seconds=5)


class Freshness(NamedTuple):
    """How long a history is served as it is, how long it may be stale, when it is read anew."""

    fresh_for: timedelta
    stale_for: timedelta
    rebuild_after: timedelta


class Demand(NamedTuple):
    """That a history be no older than `age`, for which its refresh is waited for so long.

    Where it fails or takes longer, what is known is served as stale.
    """

    age: timedelta
    patience: timedelta

    @property
    def limit(self) -> timedelta:
        return max(self.age, _AT_MOST_ONCE_IN)


class Reading(NamedTuple):
    """A snapshot that may be served; `error` is why it is stale, where that is known."""

    snapshot: Snapshot
    is_stale: bool
    error: UpstreamError | None = None


class Mirror:
    """The mirrors of all accounts; `mark` records whether credentials are still accepted."""

    def __init__(
        self,
        store: MirrorStore,
        providers: Mapping[str, Provider],
        freshness: Mapping[str, Freshness],
        mark: Callable[[str, AccountStatus], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._providers = providers
        self._freshness = freshness
        self._mark = mark
        self._clock = clock
        self._memory = Memory()
        self._failures = Failures(clock)
        self._flights: Flights[Snapshot] = Flights()

    async def read(self, account: Account, stream: Stream, demand: Demand | None = None) -> Reading:
        """Return the newest part of a history as it may be served now; raises `UpstreamError`."""
        key = (account.id, stream)
        times = self._freshness[account.provider]
        snapshot = await self._known(account, stream)
        age = self._clock() - snapshot.read_at if snapshot else timedelta.max
        limit = min(times.fresh_for, demand.limit) if demand else times.fresh_for
        if snapshot and age < limit:
            return Reading(snapshot, is_stale=False)
        waiting = self._failures.waiting(key)
        if not waiting:
            refresh = self._flights.start(key, "refresh", lambda: self._refresh(account, stream))
        if snapshot and age < times.fresh_for + times.stale_for:
            if demand and not waiting:
                await asyncio.wait({refresh}, timeout=demand.patience.total_seconds())
                if refresh.done() and not refresh.cancelled() and not refresh.exception():
                    return Reading(refresh.result(), is_stale=False)
            return Reading(snapshot, is_stale=True, error=self._failures.last(key))
        if waiting:
            raise waiting
        return Reading(await asyncio.shield(refresh), is_stale=False)

    async def deepen(self, account: Account, stream: Stream, back_to: datetime | None) -> Snapshot:
        """Return a snapshot with every entry at or after `back_to`; raises `UpstreamError`.

        None is the beginning of the history.
        """
        key = (account.id, stream)
        if waiting := self._failures.waiting(key):
            raise waiting
        flight = self._flights.start(
            key, f"back to {back_to}", lambda: self._deepen(account, stream, back_to)
        )
        return await asyncio.shield(flight)

    async def aclose(self) -> None:
        """End the fetches under way; what they had read before is kept."""
        await self._flights.aclose()

    async def _known(self, account: Account, stream: Stream) -> Snapshot | None:
        """Return the mirror from memory when it is the one in Redis, else from Redis.

        What is in memory serves alone while Redis is away or has lost it.
        """
        key = (account.id, stream)
        translation = self._providers[account.provider].translation
        remembered = self._memory.get(key)
        state = await self._store.state(account.id, stream)
        if state is None or (remembered and remembered.version == state.version):
            return remembered
        stored = await self._store.load(account.id, stream, translation)
        if stored is None:
            return remembered
        self._memory.put(key, stored)
        return stored

    async def _refresh(self, account: Account, stream: Stream) -> Snapshot:
        known = await self._known(account, stream)
        now = self._clock()
        age = now - known.built_at if known else timedelta.max
        read_page = self._reader(account, stream)
        async with self._outcome(account, stream):
            if known is None or age > self._freshness[account.provider].rebuild_after:
                fresh = await read_anew(read_page, account.id, now)
            else:
                fresh = await refreshed(read_page, known, now)
        await self._keep(account, stream, known, fresh)
        return fresh

    async def _deepen(self, account: Account, stream: Stream, back_to: datetime | None) -> Snapshot:
        snapshot = await self._known(account, stream) or await self._refresh(account, stream)
        read_page = self._reader(account, stream)
        steps = deepened(read_page, snapshot, self._clock(), reaches(back_to))
        async with self._outcome(account, stream):
            async for deeper in steps:
                await self._keep(account, stream, snapshot, deeper)
                snapshot = deeper
        return snapshot

    def _reader(self, account: Account, stream: Stream) -> ReadPage:
        provider = self._providers[account.provider]

        async def read_page(place: str | None) -> Page:
            return await provider.page(account, stream, place)

        return read_page

    async def _keep(
        self, account: Account, stream: Stream, old: Snapshot | None, new: Snapshot
    ) -> None:
        self._memory.put((account.id, stream), new)
        translation = self._providers[account.provider].translation
        await self._store.save(stream, translation, old, new)

    @asynccontextmanager
    async def _outcome(self, account: Account, stream: Stream) -> AsyncIterator[None]:
        """Remember how asking the provider ended."""
        try:
            yield
        except UpstreamError as error:
            self._failures.add((account.id, stream), error)
            if isinstance(error, UpstreamUnauthorized) and error.relink:
                await self._mark(account.id, AccountStatus.NEEDS_RELINK)
            raise
        self._failures.clear((account.id, stream))
        if account.status is not AccountStatus.ACTIVE:
            await self._mark(account.id, AccountStatus.ACTIVE)
