"""
Keeps documents of one kind, in this process and in Redis for all processes.

A document is served while it is fresh; a stale one is served too, while it is renewed. Only one
process at a time renews a document; the others take what it wrote. While Redis is away, each
process works alone, from its own memory.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from secrets import token_hex
from typing import Generic

import msgspec

from app.metrics.metrics import Metrics
from app.mirror.codecs import Codec, read
from app.mirror.documents import D, Demand, Freshness, Known, Lease, Name, Served, done_within
from app.mirror.failures import Failure, Failures
from app.mirror.flights import Flights
from app.mirror.heeds import Heeds
from app.mirror.leases import Leases
from app.mirror.memory import Memory
from app.mirror.store import PURGED, DocumentStore, Encoded, Found, Saved
from app.model.clock import Clock
from app.model.errors import UpstreamError, UpstreamUnavailable
from app.redis.changes import Changes
from app.redis.guard import RedisAway, RedisBusy

# How often the work of another process is looked after, should its word get lost.
_LOOK_AGAIN_SECONDS = 0.2
# What is not written is read from its provider again by the other processes.
_TRIES_WHILE_BUSY = 3


class Keeper(Generic[D]):
    """The documents of one kind."""

    def __init__(
        self,
        kind: str,
        store: DocumentStore,
        changes: Changes,
        codec: Codec[D],
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._kind = kind
        self._store = store
        self._changes = changes
        self._codec = codec
        self._clock = clock
        self._memory: Memory[D] = Memory()
        self.metrics = metrics or Metrics()
        self.failures = Failures(clock)
        self.flights: Flights[D] = Flights(self.metrics.flights)
        self._looks: Flights[Known[D]] = Flights()
        self._news: dict[str, asyncio.Event] = {}
        self._leases = Leases(store)
        self._heeds = Heeds()
        self.heeding = self._heeds.heeding
        changes.listen(self._heard, self._lost)

    async def aclose(self) -> None:
        """End the work under way; what it had written before is kept."""
        await self.flights.aclose()
        await self._looks.aclose()
        await self._leases.aclose()

    async def serve(
        self,
        name: Name,
        times: Freshness,
        demand: Demand | None,
        renew: Callable[[datetime], asyncio.Task[D]],
    ) -> Served[D]:
        """Return the document as it may be served now; raises `UpstreamError`.

        `renew` starts its renewal, or joins it, that makes it one read at that instant or later.
        """
        known = (await self.known(name)).document
        limit, now = times.limit(demand), self._clock()
        if known and now - known.read_at < limit:
            return Served(known, is_stale=False)
        waiting = self.failures.waiting(name.text)
        task = None if waiting else renew(now - limit)
        if known and now - known.read_at < times.fresh_for + times.stale_for:
            renewed = await done_within(demand.patience, task) if demand and task else None
            if renewed:
                return Served(renewed, is_stale=False)
            return Served(known, is_stale=True, error=self.failures.last(name.text))
        if task is None:
            raise waiting or UpstreamUnavailable("The history cannot be read now.")
        return Served(await asyncio.shield(task), is_stale=False)

    def current(self, name: Name) -> D | None:
        """Return the document where memory has it and nobody told of another; else None."""
        is_current = self._changes.is_live and self._memory.is_current(name.text)
        return self._memory.get(name.text) if is_current else None

    async def known(self, name: Name) -> Known[D]:
        """Return the document from memory while it is current there, else as it is in Redis.

        What is in memory serves alone while Redis is away or has lost it.
        """
        if self.current(name):
            self.metrics.lookups.add("memory", "hit")
            return self._remembered(name)
        self.metrics.lookups.add("memory", "miss")
        # Callers of one moment look once, however many they are.
        look = self._looks.start(name.text, "look", partial(self._see, name))
        return await asyncio.shield(look)

    async def _see(self, name: Name) -> Known[D]:
        known, _ = await self._look(name, None)
        return known

    async def in_turn(
        self,
        name: Name,
        is_enough: Callable[[D], bool],
        work: Callable[[Known[D]], Awaitable[D]],
        *,
        kind: str = "lease",
    ) -> D:
        """Return the document that the work makes, or another process's that is enough.

        One process at a time does work of one kind on a document. Raises `UpstreamError`, also
        where another process met it just now.
        """
        lease = Lease(name.text, kind, token_hex(8))
        while True:
            was_away = self._store.is_away
            known, is_ours = await self._look(name, lease)
            async with self._leases.held(lease) if is_ours and not was_away else nullcontext():
                if known.document and is_enough(known.document):
                    return known.document
                if waiting := self.failures.waiting(name.text):
                    raise waiting
                if is_ours:
                    return await work(known if was_away else known._replace(lease=lease))
            await self._next_news(name.text)

    async def keep(
        self, name: Name, known: Known[D], document: D, *, is_last: bool = False
    ) -> Known[D]:
        """Keep a document that continues what was known, unless another process was faster.

        With the last one the lease is given back by which it was worked on.
        """
        self._memory.put(name.text, document, known.era, is_current=False)
        stored = (
            known.document if known.document and known.version == known.document.version else None
        )
        doubts = self._memory.doubts
        lease = known.lease if is_last else None
        try:
            saved = await self._save(name, known, stored, document, lease)
        except RedisAway:
            self._changes.made(f"{name.text} {document.version}")
            return known._replace(document=document)
        if saved is Saved.PURGED:
            self._memory.forget(name.text)
        if saved is not Saved.SAVED:
            return known._replace(document=document)
        if lease:
            self._leases.given_back(lease)
        is_current = self._changes.is_live and doubts == self._memory.doubts
        self._memory.put(name.text, document, known.era, is_current=is_current)
        self._changes.made(f"{name.text} {document.version}")
        return known._replace(document=document, version=document.version)

    async def share(self, name: Name) -> bool:
        """Write what only this process knows, as after Redis was away; say if Redis has it then."""
        known, _ = await self._look(name, None)
        if known.document is None:
            return False
        if known.version != known.document.version:
            known = await self.keep(name, known, known.document)
        try:
            found = await self._store.look(name.text)
        except RedisAway:
            return False
        return known.document is not None and found.version == known.document.version

    async def failed(self, name: Name, error: UpstreamError) -> None:
        """Remember, for all processes, that a document could not be read."""
        failure = self.failures.add(name.text, error)
        with suppress(RedisAway):
            await self._store.fail(name.text, msgspec.msgpack.encode(failure))
            self.failures.told(name.text)

    async def purge(self, name: str) -> None:
        """Take a document away, in all processes; raises `RedisAway` where only in this one."""
        self._purged(name)
        self._changes.made(f"{name} {PURGED}")
        self._heeds.pass_on(name, PURGED)
        await self._store.purge(name)

    async def _look(self, name: Name, lease: Lease | None) -> tuple[Known[D], bool]:
        """Return what is known, and whether the work is ours; it is while Redis is away."""
        remembered = self._remembered(name)
        known = remembered.document
        has = (known.version, known.block_names) if known else ("", ())
        is_live, doubts = self._changes.is_live, self._memory.doubts
        try:
            found = await self._store.look(name.text, has, lease)
        except RedisBusy:
            # It is there: another process may be at this work, so it is asked again in a moment.
            return remembered, False
        except RedisAway:
            return remembered, lease is not None
        if found.era and found.era != remembered.era:
            self._memory.forget(name.text)
            known = None
        document = self._decoded(found, name.translation, known)
        if lease is None:  # who has one has looked before
            self.metrics.lookups.add("redis", "hit" if document else "miss")
        self._adopt(name.text, found, document)
        era = found.era or remembered.era
        if document is None:
            return Known(known, found.version, era), found.is_ours
        is_current = is_live and self._changes.is_live and doubts == self._memory.doubts
        self._memory.put(name.text, document, era, is_current=is_current)
        if not self._changes.is_live and document is not known:
            # Nobody else tells it here, should Redis go away before the others are heard again.
            self._changes.made(f"{name.text} {document.version}")
        return Known(document, found.version, era), found.is_ours

    def _remembered(self, name: Name) -> Known[D]:
        document = self._memory.get(name.text)
        return Known(document, document.version if document else None, self._memory.era(name.text))

    def _decoded(self, found: Found, translation: str, known: D | None) -> D | None:
        if known and known.version == found.version:
            return known
        return self._codec.decoded(found, translation, known)

    def _adopt(self, name: str, found: Found, document: D | None) -> None:
        failure = read(found.failure, Failure)
        if document and (failure is None or failure.at < document.read_at):
            self.failures.cleared(name, document.read_at)
        elif failure:
            self.failures.adopt(name, failure)

    async def _save(
        self, name: Name, known: Known[D], stored: D | None, document: D, lease: Lease | None
    ) -> Saved:
        encoded = self._codec.encoded(document, name.translation, stored)
        saved = await self._write(name.text, encoded, known, lease)
        if saved is Saved.INCOMPLETE:
            whole = self._codec.encoded(document, name.translation, None)
            return await self._write(name.text, whole, known, lease)
        return saved

    async def _write(
        self, name: str, encoded: Encoded, known: Known[D], lease: Lease | None
    ) -> Saved:
        """Write, again where this process was too busy to hear whether it was written."""
        for _ in range(_TRIES_WHILE_BUSY):
            with suppress(RedisBusy):
                return await self._store.save(
                    name, encoded, over=known.version, era=known.era, lease=lease
                )
        raise RedisAway("this process is too busy")

    def _heard(self, told: str) -> None:
        name, _, version = told.rpartition(" ")
        if not name.endswith(f":{self._kind}"):
            return
        self._memory.doubt(name, version)
        if version == PURGED:
            self._purged(name)
        if name in self._news:
            self._news[name].set()
        self._heeds.pass_on(name, version)

    def _lost(self) -> None:
        self._memory.doubt_all()
        self._heeds.pass_on_to_all("")

    def _purged(self, name: str) -> None:
        self._memory.forget(name)
        self.failures.clear(name)
        self.flights.disown(name)
        self._looks.disown(name)

    async def _next_news(self, name: str) -> None:
        """Return when something was told of a document, or after a short while."""
        news = self._news.setdefault(name, asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_AGAIN_SECONDS):
                await news.wait()
        if self._news.get(name) is news:
            del self._news[name]
