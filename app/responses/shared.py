"""The kept answers in Redis, which all processes give."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

from aiodataloader import DataLoader
from redis.asyncio.cluster import RedisCluster

from app.redis.connection import Client
from app.redis.guard import Guard, RedisAway
from app.responses.kept import Kept, Written, decoded, encoded

_PREFIX = "credit-gateway:response:"
# What is written beside more than so many others is not worth a wait.
_MOST_WRITES = 64
# A round trip brings some megabytes at most.
_MOST_READ = 50


class Shared:
    """Reads and writes answers by the digest of their key."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        # What is asked in one turn of the event loop costs one round trip.
        self._loader: DataLoader[str, bytes | None] | None = None
        self._writing: set[asyncio.Task[None]] = set()

    async def read(self, key: bytes) -> Written | None:
        """Return what is written under a key, None for nothing; raises `RedisAway`."""
        if self._loader is None:
            self._loader = DataLoader(self._read, cache=False, max_batch_size=_MOST_READ)
        data = await asyncio.shield(self._loader.load(_name(key)))
        written = decoded(data) if data else None
        return written if written and written.key == key else None

    def write(self, kept: Kept, left: timedelta) -> None:
        """Write an answer that is fresh for so long, in the background."""
        milliseconds = left // timedelta(milliseconds=1)
        if milliseconds > 0 and len(self._writing) < _MOST_WRITES:
            task = asyncio.get_running_loop().create_task(self._write(kept, milliseconds))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def aclose(self) -> None:
        """End what is being written."""
        for task in self._writing:
            task.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _read(self, names: list[str]) -> list[Any]:
        async def look(client: Client) -> list[Any]:
            if not isinstance(client, RedisCluster):
                return list(await client.mget(names))
            pipeline = client.pipeline()  # its keys lie with several servers
            for name in names:
                pipeline.get(name)
            return list(await pipeline.execute())

        return await self._guard.ask(look)

    async def _write(self, kept: Kept, milliseconds: int) -> None:
        with suppress(RedisAway):
            data = encoded(kept)
            await self._guard.ask(lambda client: client.set(_name(kept.key), data, px=milliseconds))


def _name(key: bytes) -> str:
    return _PREFIX + sha256(key).hexdigest()
