"""
Keeps documents of one kind, in this process and in Redis for all processes.

A document is served while it is fresh; a stale one is served too, while it is renewed. Only one
process at a time renews a document; the others take what it wrote. While Redis is away, each
process works alone, from its own memory.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from app.mirror.codecs import Codec, read
from app.mirror.failures import Failure, Failures
from app.mirror.flights import Flights
from app.mirror.memory import Memory
from app.mirror.store import LEASE, PURGED, DocumentStore, Found, Lease, Saved
from app.model.clock import Clock
from app.model.errors import UpstreamError, UpstreamUnavailable
from app.redis.changes import Changes
from app.redis.guard import RedisAway

# However fresh a caller wants a document, its provider is not asked more often for it.
_AT_MOST_ONCE_IN = timedelta(seconds=5)
# How often the work of another process is looked after, should its word get lost.
_LOOK_AGAIN_SECONDS = 0.2


class Document(Protocol):
    """What is kept: read at that time, new with every version."""

    @property
    def version(self) -> str: ...
    @property
    def read_at(self) -> datetime: ...
    @property
    def weight(self) -> int: ...
    @property
    def block_names(self) -> tuple[str, ...]: ...


D = TypeVar("D", bound=Document)


class Freshness(NamedTuple):
    """How long a document is served as it is, how long it may be stale, when it is read anew."""

    fresh_for: timedelta
    stale_for: timedelta
    rebuild_after: timedelta


class Demand(NamedTuple):
    """That a document be no older than `age`, for which its renewal is waited for so long.

    Where that fails or takes longer, what is known is served as stale. Unless it is `urgent`, a
    provider is asked at most once in five seconds.
    """

    age: timedelta
    patience: timedelta
    urgent: bool = False

    @property
    def limit(self) -> timedelta:
        return self.age if self.urgent else max(self.age, _AT_MOST_ONCE_IN)


class Served(NamedTuple, Generic[D]):
    """A document that may be served; `error` is why it is stale, where that is known."""

    document: D
    is_stale: bool
    error: UpstreamError | None = None


class Known(NamedTuple, Generic[D]):
    """A document as it is known now; `version` is the one in Redis, None for none."""

    document: D | None
    version: str | None


class Name(NamedTuple):
    """A document's name, and how its provider's answers are read."""

    text: str
    translation: str


class Keeper(Generic[D]):
    """The documents of one kind."""

    def __init__(
        self, kind: str, store: DocumentStore, changes: Changes, codec: Codec[D], clock: Clock
    ) -> None:
        self._kind = kind
        self._store = store
        self._changes = changes
        self._codec = codec
        self._clock = clock
        self._memory: Memory[D] = Memory()
        self.failures = Failures(clock)
        self.flights: Flights[D] = Flights()
        self._news: dict[str, asyncio.Event] = {}
        changes.listen(self._heard, self._memory.doubt_all)

    async def aclose(self) -> None:
        """End the work under way; what it had written before is kept."""
        await self.flights.aclose()

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
        limit = min(times.fresh_for, demand.limit) if demand else times.fresh_for
        now = self._clock()
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

    async def known(self, name: Name) -> Known[D]:
        """Return the document from memory while it is current there, else as it is in Redis.

        What is in memory serves alone while Redis is away or has lost it.
        """
        if self._memory.is_current(name.text):
            remembered = self._memory.get(name.text)
            return Known(remembered, remembered.version if remembered else None)
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
            known, is_ours = await self._look(name, lease)
            async with self._held(lease) if is_ours else _nothing():
                if known.document and is_enough(known.document):
                    return known.document
                if waiting := self.failures.waiting(name.text):
                    raise waiting
                if is_ours:
                    return await work(known)
            await self._next_news(name.text)

    async def keep(self, name: Name, known: Known[D], document: D) -> Known[D]:
        """Keep a document that continues what was known, unless another process was faster."""
        self._memory.put(name.text, document, is_current=False)
        stored = (
            known.document if known.document and known.version == known.document.version else None
        )
        doubts = self._memory.doubts
        try:
            saved = await self._save(name, known.version, stored, document)
        except RedisAway:
            return Known(document, known.version)
        if saved is Saved.SAVED:
            is_current = self._changes.is_live and doubts == self._memory.doubts
            self._memory.put(name.text, document, is_current=is_current)
            return Known(document, document.version)
        self._memory.forget(name.text)
        return Known(document, known.version)

    async def failed(self, name: Name, error: UpstreamError) -> None:
        """Remember, for all processes, that a document could not be read."""
        failure = self.failures.add(name.text, error)
        with suppress(RedisAway):
            await self._store.fail(name.text, msgspec.msgpack.encode(failure))

    async def purge(self, name: str) -> None:
        """Take a document away, in all processes; raises `RedisAway` where only in this one."""
        self._memory.forget(name)
        self.failures.clear(name)
        await self._store.purge(name)

    async def _look(self, name: Name, lease: Lease | None) -> tuple[Known[D], bool]:
        """Return what is known, and whether the work is ours; it is while Redis is away."""
        remembered = self._memory.get(name.text)
        has = (remembered.version, remembered.block_names) if remembered else ("", ())
        is_live, doubts = self._changes.is_live, self._memory.doubts
        try:
            found = await self._store.look(name.text, has, lease)
        except RedisAway:
            return Known(remembered, remembered.version if remembered else None), lease is not None
        if remembered and remembered.version == found.version:
            document: D | None = remembered
        else:
            document = self._codec.decoded(found, name.translation, remembered)
        self._adopt(name.text, found, document)
        if document is None:
            is_purged = found.version is not None and found.state is None
            if is_purged:
                self._memory.forget(name.text)
            return Known(None if is_purged else remembered, found.version), found.is_ours
        is_current = is_live and self._changes.is_live and doubts == self._memory.doubts
        self._memory.put(name.text, document, is_current=is_current)
        return Known(document, found.version), found.is_ours

    def _adopt(self, name: str, found: Found, document: D | None) -> None:
        failure = read(found.failure, Failure)
        if failure:
            self.failures.adopt(name, failure)
        elif document:
            self.failures.clear(name, document.read_at)

    async def _save(self, name: Name, over: str | None, stored: D | None, document: D) -> Saved:
        encoded = self._codec.encoded(document, name.translation, stored)
        saved = await self._store.save(name.text, encoded, over=over)
        if saved is Saved.INCOMPLETE:
            whole = self._codec.encoded(document, name.translation, None)
            return await self._store.save(name.text, whole, over=over)
        return saved

    @asynccontextmanager
    async def _held(self, lease: Lease) -> AsyncIterator[None]:
        """Renew a lease until the work is done, then give it back."""
        renewing = asyncio.create_task(self._renew(lease))
        try:
            yield
        finally:
            renewing.cancel()
            with suppress(RedisAway):
                await self._store.release(lease)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(RedisAway):
                await self._store.renew(lease)

    def _heard(self, told: str) -> None:
        name, _, version = told.rpartition(" ")
        if not name.endswith(f":{self._kind}"):
            return
        self._memory.doubt(name, version)
        if version.startswith(PURGED):
            self._memory.forget(name)
        if name in self._news:
            self._news[name].set()

    async def _next_news(self, name: str) -> None:
        """Return when something was told of a document, or after a short while."""
        news = self._news.setdefault(name, asyncio.Event())
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_AGAIN_SECONDS):
                await news.wait()
        if self._news.get(name) is news:
            del self._news[name]


async def done_within(patience: timedelta, task: asyncio.Task[D]) -> D | None:
    """Return what a task returns; None where it fails or takes longer, and then goes on."""
    await asyncio.wait({task}, timeout=patience.total_seconds())
    if not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield
