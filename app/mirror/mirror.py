"""
Reads histories from mirrors, and keeps the mirrors fresh and deep enough.

A mirror is refreshed by its newest end and deepened at its oldest. Where it no longer fits what its
provider tells, or is too old to be trusted, it is read anew beside itself, and then replaced.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from app.metrics.metrics import Metrics
from app.mirror.codecs import SnapshotCodec
from app.mirror.crawl import (
    IsDeep,
    ReadPage,
    anew,
    deepened,
    is_as_deep_as,
    newest,
    reaches,
    refreshed,
)
from app.mirror.documents import (
    AT_MOST_ONCE_IN,
    Demand,
    Freshness,
    Known,
    Name,
    done_within,
)
from app.mirror.heeds import Heed
from app.mirror.keeper import Keeper
from app.mirror.outcomes import Mark, noted
from app.mirror.reading import Reading
from app.mirror.snapshot import Snapshot
from app.mirror.store import DocumentStore, name_of
from app.model.accounts import Account
from app.model.clock import Clock
from app.model.entries import Stream
from app.model.errors import PlaceLost
from app.providers.page import NO_PAGE, Page, Provider
from app.redis.changes import Changes


class Mirror:
    """The mirrors of all accounts; `mark` records whether credentials are still accepted."""

    def __init__(
        self,
        store: DocumentStore,
        changes: Changes,
        providers: Mapping[str, Provider],
        freshness: Mapping[str, Freshness],
        mark: Mark,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._providers = providers
        self._freshness = freshness
        self._mark = mark
        self._clock = clock
        self._keepers = {
            stream: Keeper(stream, store, changes, SnapshotCodec(stream), clock, metrics)
            for stream in Stream
        }

    def at_hand(self, account: Account, stream: Stream, demand: Demand | None) -> Reading | None:
        """Return what `read` does where that waits for nothing; None where it has to be awaited."""
        keeper, times, now = self._keepers[stream], self._freshness[account.provider], self._clock()
        known = keeper.current(self._name(account, stream))
        is_fresh = known is not None and now - known.read_at < times.limit(demand)
        if known is None or not is_fresh or now - known.built_at > times.rebuild_after:
            return None
        keeper.metrics.lookups.add("memory", "hit")
        return Reading(known, is_stale=False)

    async def read(self, account: Account, stream: Stream, demand: Demand | None = None) -> Reading:
        """Return the newest part of a history as it may be served now; raises `UpstreamError`."""
        return await self._read(account, stream, self._freshness[account.provider], demand)

    async def poll(self, account: Account, stream: Stream, patience: timedelta) -> Reading:
        """Return a history that was read within `polled_every`, as far as its provider answers.

        However many processes poll it, its provider is asked once; raises `UpstreamError`.
        """
        every = self.polled_every(account)
        times = self._freshness[account.provider]._replace(fresh_for=every)
        return await self._read(account, stream, times, Demand(every, patience))

    def polled_every(self, account: Account) -> timedelta:
        """Return how old a history gets before who polls it has it read again."""
        return max(self._freshness[account.provider].fresh_for, AT_MOST_ONCE_IN)

    def heeding(self, account: Account, stream: Stream, heed: Heed) -> AbstractContextManager[None]:
        """Pass on each word that what is known of a history changed, in whichever process."""
        return self._keepers[stream].heeding(self._name(account, stream).text, heed)

    async def _read(
        self, account: Account, stream: Stream, times: Freshness, demand: Demand | None
    ) -> Reading:
        def renew(as_of: datetime) -> asyncio.Task[Snapshot]:
            purpose = f"refresh as of {as_of}" if demand and demand.urgent else "refresh"
            return self._fly(
                account, stream, purpose, lambda: self._refresh(account, stream, as_of)
            )

        keeper, name = self._keepers[stream], self._name(account, stream)
        reading = Reading(*await keeper.serve(name, times, demand, renew))
        if self._clock() - reading.snapshot.built_at <= times.rebuild_after:
            return reading
        rebuilding = self.rebuild(account, stream)
        if not demand or not rebuilding:
            return reading
        rebuilt = await done_within(demand.patience, rebuilding)
        return Reading(rebuilt, is_stale=False) if rebuilt else reading

    async def deepen(self, account: Account, stream: Stream, back_to: datetime | None) -> Snapshot:
        """Return a snapshot with every entry at or after `back_to`; raises `UpstreamError`.

        None is the beginning of the history.
        """
        if waiting := self._keepers[stream].failures.waiting(self._name(account, stream).text):
            raise waiting
        flight = self._fly(
            account, stream, f"back to {back_to}", lambda: self._deepen(account, stream, back_to)
        )
        return await asyncio.shield(flight)

    async def share(self, account: Account, stream: Stream) -> bool:
        """Write what only this process knows of a history; say whether all processes have it."""
        return await self._keepers[stream].share(self._name(account, stream))

    def rebuild(
        self, account: Account, stream: Stream, because: str = ""
    ) -> asyncio.Task[Snapshot] | None:
        """Start to read a history anew, as deep as it is known; None where it is too soon for it.

        `because` is the drift that it is done for, which is noted in the new mirror.
        """
        name = self._name(account, stream)
        if self._keepers[stream].failures.waiting(name.text):
            return None
        wanted_at = self._clock()
        return self._keepers[stream].flights.start(
            (name.text, "rebuild"),
            "rebuild",
            lambda: self._rebuild(account, stream, wanted_at, because),
        )

    async def note_no_drift(self, account: Account, stream: Stream) -> None:
        """Note that a history adds up, so that it is read anew for the next drift, whichever."""
        keeper, name = self._keepers[stream], self._name(account, stream)
        known = await keeper.known(name)
        if known.document and known.document.rebuilt_for:
            await keeper.keep(name, known, known.document.changed(rebuilt_for=""))

    async def purge(self, account_id: str, revision: int) -> None:
        """Take the mirrors of an account away, in all processes.

        Raises `RedisAway` where they were taken away in this process only.
        """
        purges = (
            keeper.purge(name_of(account_id, stream, revision))
            for stream, keeper in self._keepers.items()
        )
        for outcome in await asyncio.gather(*purges, return_exceptions=True):
            if outcome is not None:
                raise outcome

    async def settle(self, patience: timedelta) -> None:
        """Let the fetches under way end by themselves, for so long."""
        await asyncio.gather(*(one.flights.settle(patience) for one in self._keepers.values()))

    async def aclose(self) -> None:
        """End the fetches under way; what they had read before is kept."""
        for keeper in self._keepers.values():
            await keeper.aclose()

    def _name(self, account: Account, stream: Stream) -> Name:
        translation = self._providers[account.provider].translation
        return Name(name_of(account.id, stream, account.revision), translation)

    def _fly(
        self,
        account: Account,
        stream: Stream,
        purpose: str,
        work: Callable[[], Coroutine[Any, Any, Snapshot]],
    ) -> asyncio.Task[Snapshot]:
        return self._keepers[stream].flights.start(self._name(account, stream).text, purpose, work)

    async def _refresh(self, account: Account, stream: Stream, as_of: datetime) -> Snapshot:
        keeper, name = self._keepers[stream], self._name(account, stream)
        is_misfit = False

        async def work(known: Known[Snapshot]) -> Snapshot:
            nonlocal is_misfit
            old, now = known.document, self._clock()
            read_page = self._reader(account, stream, old.page if old else NO_PAGE)
            async with self._outcome(account, stream, "refresh"):
                if old is None:
                    fresh: Snapshot | None = await newest(read_page, account.id, now)
                else:
                    fresh = await refreshed(read_page, old, now)
            if fresh:
                await keeper.keep(name, known, fresh, is_last=True)
                return fresh
            is_misfit = True
            return cast("Snapshot", old)

        fresh = await keeper.in_turn(name, lambda known: known.read_at >= as_of, work)
        rebuilding = self.rebuild(account, stream) if is_misfit else None
        return await asyncio.shield(rebuilding) if rebuilding else fresh

    async def _deepen(self, account: Account, stream: Stream, back_to: datetime | None) -> Snapshot:
        keeper, name = self._keepers[stream], self._name(account, stream)
        is_deep = reaches(back_to)

        async def work(known: Known[Snapshot]) -> Snapshot:
            read_page = self._reader(account, stream)
            async with self._outcome(account, stream, "deepen"):
                deepest = known.document
                if deepest is None:
                    deepest = await newest(read_page, account.id, self._clock())
                    known = await keeper.keep(name, known, deepest)
                try:
                    async for deeper in deepened(read_page, deepest, is_deep):
                        known, deepest = await keeper.keep(name, known, deeper), deeper
                except PlaceLost:
                    deepest = await self._anew(account, stream, deepest, is_deep)
                    await keeper.keep(name, known, deepest)
            return deepest

        return await keeper.in_turn(name, is_deep, work)

    async def _anew(
        self, account: Account, stream: Stream, old: Snapshot, is_deep: IsDeep | None = None
    ) -> Snapshot:
        """Read a history anew, at least as deep as it is known, and as deep as said."""

        def is_as_deep(new: Snapshot) -> bool:
            return is_as_deep_as(new, old) and (is_deep is None or is_deep(new))

        new = await anew(self._reader(account, stream), account.id, self._clock(), is_as_deep)
        return new.instead_of(old)

    async def _rebuild(
        self, account: Account, stream: Stream, wanted_at: datetime, because: str
    ) -> Snapshot:
        """Read a history anew while the old mirror is served and refreshed, then replace it."""
        keeper, name = self._keepers[stream], self._name(account, stream)

        async def work(known: Known[Snapshot]) -> Snapshot:
            if known.document is None:
                return await self._refresh(account, stream, wanted_at)
            async with self._outcome(account, stream, "rebuild"):
                new = await self._anew(account, stream, known.document)
            if because:
                new = new.changed(rebuilt_for=because)
            return await keeper.in_turn(name, lambda _: False, partial(swap, known, new))

        async def swap(old: Known[Snapshot], new: Snapshot, known: Known[Snapshot]) -> Snapshot:
            if known.era != old.era:
                # It was purged meanwhile, and what was read before must not come back.
                return new
            if known.version != old.version:
                # It was refreshed meanwhile; what is new by that must not go away again.
                async with self._outcome(account, stream, "refresh"):
                    read_page, now = self._reader(account, stream), self._clock()
                    new = await refreshed(read_page, new, now) or new
            await keeper.keep(name, known, new)
            return new

        old = (await keeper.known(name)).document

        def is_done(known: Snapshot) -> bool:
            is_for_it = because != "" and known.rebuilt_for == because
            is_other = old is not None and known.built_at > old.built_at
            return is_for_it or is_other or known.built_at > wanted_at

        return await keeper.in_turn(name, is_done, work, kind="rebuild")

    def _reader(self, account: Account, stream: Stream, before: Page = NO_PAGE) -> ReadPage:
        """Return what reads pages; `before` is the newest one as it was read last."""
        provider = self._providers[account.provider]

        async def read_page(place: str | None) -> Page:
            return await provider.page(account, stream, place, before if place is None else NO_PAGE)

        return read_page

    def _outcome(
        self, account: Account, stream: Stream, work: str
    ) -> AbstractAsyncContextManager[None]:
        name = self._name(account, stream)
        return noted(self._keepers[stream], name, account, self._mark, work)
