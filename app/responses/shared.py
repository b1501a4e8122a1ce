"""The kept answers in Redis, which all processes give."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

from redis.asyncio.cluster import RedisCluster

from app.redis.connection import Client
from app.redis.guard import Guard, RedisAway
from app.responses.kept import Kept, Written, decoded, encoded

_PREFIX = "credit-gateway:response:"
# What is written beside more than so many others is not worth a wait.
_MOST_WRITES = 64


class Shared:
    """Reads and writes answers by the digest of their key."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._writing: set[asyncio.Task[None]] = set()

    async def read(self, keys: Sequence[bytes]) -> dict[bytes, Written]:
        """Return what is written under these keys, in one round trip; raises `RedisAway`."""
        found: dict[bytes, Written] = {}
        for key, data in zip(keys, await self._values([_name(key) for key in keys]), strict=True):
            written = decoded(data) if data else None
            if written and written.key == key:
                found[key] = written
        return found

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

    async def _values(self, names: Sequence[str]) -> Sequence[bytes | None]:
        async def look(client: Client) -> list[Any]:
            assert isinstance(client, RedisCluster)  # noqa: S101 - as the guard says
            return await client.mget_nonatomic(names)

        if self._guard.is_cluster:  # its keys lie with several servers
            return await self._guard.ask(look)
        values: list[bytes | None] = await self._guard.command("MGET", *names)
        return values

    async def _write(self, kept: Kept, milliseconds: int) -> None:
        with suppress(RedisAway):
            words = ("SET", _name(kept.key), encoded(kept), "PX", milliseconds)
            await self._guard.command(*words)


def _name(key: bytes) -> str:
    return _PREFIX + sha256(key).hexdigest()
