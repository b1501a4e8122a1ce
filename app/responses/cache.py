"""
Answers that were given before: in the memory of each process, and in Redis for all of them.

An answer is kept with what it was made of: the versions of the documents that were read, and what
the directory said. It is given again while every source in it is fresh, while the documents are of
those versions still, and while the directory says the same. A process knows the versions by what
the processes tell each other, and asks for those it does not know; it gives nothing from here while
it cannot hear the others but for Redis being away, when each serves its own versions. What the
directory says it asks again after a moment.

The key is everything that an answer depends on beside that. It lies within what is kept and is
compared whole, so that nobody is ever given what was made for somebody else.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

import orjson

from app.directory.database import DirectoryUnavailable
from app.mirror.store import DocumentStore
from app.model.clock import Clock
from app.model.viewer import Viewer
from app.redis.changes import Changes
from app.redis.guard import Guard, RedisAway
from app.responses.budget import Budget
from app.responses.dependencies import Dependencies
from app.responses.kept import Kept, Written, digest
from app.responses.lookups import LASTS_SECONDS, Lookup, Lookups
from app.responses.memory import Memory
from app.responses.search import Search
from app.responses.shared import Shared
from app.responses.versions import Versions

_NOTHING = timedelta(0)
_ASKED_AGAIN_SECONDS = LASTS_SECONDS / 2


class Found(NamedTuple):
    """An answer that may be given now, and for how long it stays fresh."""

    kept: Kept
    left: timedelta


class ResponseCache:
    """Finds and keeps answers. `release` is the same in all processes that answer alike.

    Those in this process are within its `budget`; where they are not `shared`, none are in Redis.
    """

    def __init__(
        self,
        guard: Guard,
        store: DocumentStore,
        changes: Changes,
        lookups: Lookups,
        clock: Clock,
        *,
        release: str,
        budget: Budget,
        shared: bool,
    ) -> None:
        self._store = store
        self._lookups = lookups
        self._clock = clock
        self._release = release
        self._shared = Shared(guard) if shared else None
        self._search = Search(self._read, self._judge)
        self._memory = Memory(budget)
        self._asking: set[asyncio.Task[timedelta | None]] = set()
        self._versions = Versions(changes, guard, self._memory.changed)

    @property
    def mark(self) -> int:
        """What has to be noted before an answer is made that is to be kept."""
        return self._versions.mark

    def key(self, viewer: Viewer, *asked: object) -> bytes | None:
        """Return the key of what a viewer asks, in JSON's types; None where it has none."""
        who = [viewer.subject, sorted(viewer.scopes), viewer.reference]
        with suppress(orjson.JSONEncodeError):
            return orjson.dumps([self._release, who, asked], option=orjson.OPT_SORT_KEYS)
        return None

    async def find(self, key: bytes) -> Found | None:
        """Return the answer that is kept under a key and still true; None where there is none."""
        kept = self._memory.get(key)
        if kept is not None:
            left = self.left(kept) or await self._left_still(kept)
            return Found(kept, left) if left else None
        if self._shared and self._versions.are_heard:
            return await self._search.find(key)
        return None

    def left(self, kept: Kept) -> timedelta | None:
        """Return for how long an answer stays fresh; None for one that may not be given.

        `find` may find that it may.
        """
        looked_up_at = kept.looked_up_at
        age = monotonic() - looked_up_at
        if age > _ASKED_AGAIN_SECONDS and not kept.is_asked_again:
            self._ask_again(kept)
        if age >= LASTS_SECONDS or looked_up_at <= self._lookups.doubted_at:
            return None
        return self._fresh_for(kept)

    def keep(
        self, key: bytes, body: bytes, until: datetime, made_of: Dependencies, since: int
    ) -> Kept | None:
        """Keep an answer whose making began at the mark `since`, and return it as it is kept.

        It is None where something it was made of may have changed meanwhile.
        """
        if not made_of.is_even or not self._versions.learn(made_of.documents, since):
            return None
        kept = Kept(key, body, until, made_of.documents, made_of.lookups, 0.0)
        self._memory.put(kept)
        if self._shared:
            self._shared.write(kept, until - self._clock())
        return kept

    async def aclose(self) -> None:
        """End what is being asked, looked for and written."""
        for task in self._asking:
            task.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._search.aclose()
        if self._shared:
            await self._shared.aclose()

    def _ask_again(self, kept: Kept) -> None:
        """Ask the directory before anybody has to wait for it."""
        kept.is_asked_again = True
        task = asyncio.get_running_loop().create_task(self._left_still(kept))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    def _fresh_for(self, kept: Kept) -> timedelta | None:
        if not self._versions.are_certain or kept.is_gone:
            return None
        left = kept.until - self._clock()
        return left if left > _NOTHING else None

    async def _left_still(self, kept: Kept) -> timedelta | None:
        """Ask the directory again for what an answer was made of."""
        asked_at = monotonic()
        try:
            if self._fresh_for(kept) is None:
                return None
            if await self._look_up(kept.lookups) != kept.lookups:
                self._memory.discard(kept.key)
                return None
        finally:
            kept.is_asked_again = False
        kept.looked_up_at = asked_at
        return self._fresh_for(kept)

    async def _look_up(self, lookups: Collection[Lookup]) -> dict[Lookup, Any] | None:
        with suppress(DirectoryUnavailable):
            return await self._lookups.all(lookups)
        return None

    async def _read(self, keys: Sequence[bytes]) -> tuple[Mapping[bytes, Written], int]:
        """Return what Redis has under these keys, and the mark at which that was read."""
        since = self._versions.mark
        with suppress(RedisAway):
            written = await self._shared.read(keys) if self._shared else {}
            return await self._newest(written), since
        return {}, since

    async def _judge(self, came: tuple[Mapping[bytes, Written], int]) -> dict[bytes, Found]:
        """Return those answers that may be given now, and keep them here."""
        written, since = came
        asked_at = monotonic()
        said = await self._look_up({one for each in written.values() for one in each.lookups})
        if said is None:
            return {}
        now, found = self._clock(), {}
        for key, one in written.items():
            left = one.until - now
            kept = self._agreed(one, said, asked_at, since) if left > _NOTHING else None
            if kept:
                found[key] = Found(kept, left)
        return found

    async def _newest(self, written: Mapping[bytes, Written]) -> Mapping[bytes, Written]:
        """Ask for the versions that this process does not know, and leave out what is of others.

        Raises `RedisAway`.
        """
        names = {name for one in written.values() for name in one.documents}
        lacking = [name for name in names if self._versions.known(name) is None]
        if not lacking:
            return written
        asked = dict(zip(lacking, await self._store.versions(lacking), strict=True))
        return {
            key: one
            for key, one in written.items()
            if all(asked.get(name, version) == version for name, version in one.documents.items())
        }

    def _agreed(
        self, written: Written, said: Mapping[Lookup, Any], asked_at: float, since: int
    ) -> Kept | None:
        """Keep an answer that was read since that mark; None where something of it has changed."""
        found = {one: said[one] for one in written.lookups}
        if digest(found.values()) != written.found:
            return None
        if not self._versions.learn(written.documents, since):
            return None
        kept = Kept(written.key, written.body, written.until, written.documents, found, asked_at)
        self._memory.put(kept)
        return kept
