"""Keeping a lease while work goes on, and giving it back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from app.mirror.store import LEASE, DocumentStore, Lease
from app.redis.guard import RedisAway

_TRY_AGAIN_SECONDS = 0.2


class Leases:
    """The leases that this process has, or may have without having heard so."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._leaving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def held(self, lease: Lease) -> AsyncIterator[None]:
        """Renew a lease until the work is done, then give it back."""
        renewing = asyncio.create_task(self._renew(lease))
        try:
            yield
        finally:
            renewing.cancel()
            try:
                await self._store.release(lease)
            except RedisAway:
                task = asyncio.create_task(self._release_later(lease))
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)

    async def aclose(self) -> None:
        """Leave what could not be given back to its end."""
        tasks = list(self._leaving)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(RedisAway):
                await self._store.renew(lease)

    async def _release_later(self, lease: Lease) -> None:
        """Give a lease back when Redis returns, if it does before the lease ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEASE.total_seconds()):
                while True:
                    await asyncio.sleep(_TRY_AGAIN_SECONDS)
                    with suppress(RedisAway):
                        return await self._store.release(lease)
