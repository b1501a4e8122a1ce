"""Keeping a lease while work goes on, and giving it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.mirror.documents import Lease
from app.mirror.store import LEASE, DocumentStore
from app.redis.guard import RedisAway

_TRY_AGAIN_SECONDS = 0.2
_RENEW_EVERY_SECONDS = LEASE.total_seconds() / 3


class Leases:
    """The leases that this process has, or may have without having heard so."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._leaving: set[asyncio.Task[None]] = set()
        self._given_back: set[Lease] = set()

    @asynccontextmanager
    async def held(self, lease: Lease) -> AsyncIterator[None]:
        """Renew a lease until the work is done, then give it back."""
        renewing = _Renewing(self._store, lease)
        try:
            yield
        finally:
            renewing.end()
            if lease in self._given_back:
                self._given_back.discard(lease)
            else:
                await self._give_back(lease)

    def given_back(self, lease: Lease) -> None:
        """Note that a lease which is held was given back together with something else."""
        self._given_back.add(lease)

    async def aclose(self) -> None:
        """Leave what could not be given back to its end."""
        tasks = list(self._leaving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await self._store.release(lease)
        except RedisAway:
            task = asyncio.create_task(self._release_later(lease))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _release_later(self, lease: Lease) -> None:
        """Give a lease back when Redis returns, if it does before the lease ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE.total_seconds()):
                while True:
                    await asyncio.sleep(_TRY_AGAIN_SECONDS)
                    with suppress(RedisAway):
                        return await self._store.release(lease)


class _Renewing:
    """Renews a lease once a third of its life is over, which most work takes less than."""

    def __init__(self, store: DocumentStore, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_RENEW_EVERY_SECONDS, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        while True:
            with suppress(RedisAway):
                await self._store.renew(self._lease)
            await asyncio.sleep(_RENEW_EVERY_SECONDS)
