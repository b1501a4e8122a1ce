"""
Mirrors in Redis: the only file that speaks to it.

For each account and stream two keys with one hash tag: the state, and a list of encoded entries in
the provider's order. Any key may vanish at any time: a state whose entries are not all there is
no mirror. Redis may be away: reads find nothing, writes are dropped, and for a few seconds nobody
waits for it again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

import msgspec
import structlog
from fakeredis import FakeAsyncRedis, FakeServer
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError

from app.mirror.snapshot import Snapshot
from app.model.entries import CreditChange, Entry, Payment, Stream

T = TypeVar("T")

_log = structlog.get_logger("mirror")

# Longer than a slow Redis needs, shorter than a person notices; redis-py's own waits exceed 12 s.
_TIMEOUT_SECONDS = 0.15
_REST_SECONDS = 5.0
# The version of what is written; another release that writes otherwise counts on.
_FORMAT = "1"

_SHAPES: dict[Stream, type[Entry]] = {
    Stream.CREDIT_CHANGES: CreditChange,
    Stream.PAYMENTS: Payment,
}


class State(msgspec.Struct, frozen=True, array_like=True):
    """What is kept beside the entries. `translation` is how the provider's answers were read."""

    translation: str
    version: str
    count: int
    next: str | None
    read_at: datetime
    built_at: datetime


def connect(url: str) -> Redis:
    """Return a client with every wait bounded and no retry; `embedded://` is in this process."""
    if url == "embedded://":
        return FakeAsyncRedis(server=FakeServer())
    return Redis.from_url(
        url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
    )


class MirrorStore:
    """Loads and saves snapshots; never raises for what Redis does."""

    def __init__(self, redis: Redis, *, kept_for: timedelta) -> None:
        self._redis = redis
        self._kept_for = kept_for
        # In this process nobody is waited for; a busy one must not take itself for a dead Redis.
        self._patience = None if isinstance(redis, FakeAsyncRedis) else _TIMEOUT_SECONDS
        self._rests_until = 0.0

    async def state(self, account_id: str, stream: Stream) -> State | None:
        """Return the state of a mirror in one round trip; None when there is none."""
        key = _key(account_id, stream)
        raw = await self._guarded(lambda: self._redis.get(f"{key}:state"))
        return _decoded(raw, State) if raw else None

    async def load(self, account_id: str, stream: Stream, translation: str) -> Snapshot | None:
        """Return the whole mirror; None when it is not there, damaged, or was read otherwise.

        A damaged one is taken away, so that whoever reads the history again may write it.
        """
        key = _key(account_id, stream)

        async def read() -> list[Any]:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.get(f"{key}:state")
                pipe.lrange(f"{key}:entries", 0, -1)
                return await pipe.execute()

        found = await self._guarded(read)
        if not found or not found[0]:
            return None
        state = _decoded(found[0], State)
        if state is not None and state.translation != translation:
            return None
        entries = [_decoded(raw, _SHAPES[stream]) for raw in found[1]]
        whole = tuple(entry for entry in entries if entry is not None)
        if state is None or not len(whole) == len(entries) == state.count:
            await self._guarded(lambda: self._redis.delete(f"{key}:state"))
            return None
        return Snapshot(account_id, whole, state.next, state.read_at, state.built_at, state.version)

    async def save(
        self, stream: Stream, translation: str, old: Snapshot | None, new: Snapshot
    ) -> bool:
        """Write what changed from old to new; False when another process wrote meanwhile."""
        key = _key(new.account_id, stream)
        state = State(
            translation, new.version, len(new.entries), new.next, new.read_at, new.built_at
        )

        async def write() -> bool:
            async with self._redis.pipeline(transaction=True) as pipe:
                await pipe.watch(f"{key}:state")
                raw = await pipe.get(f"{key}:state")
                there = _decoded(raw, State) if raw else None
                if there and there.translation == translation and not _is(there, old):
                    return False
                pipe.multi()  # type: ignore[no-untyped-call]
                continued = old if there and _is(there, old) else None
                self._write_entries(pipe, f"{key}:entries", continued, new)
                pipe.set(f"{key}:state", msgspec.msgpack.encode(state), ex=self._kept_for)
                pipe.expire(f"{key}:entries", self._kept_for)
                try:
                    await pipe.execute()
                except WatchError:
                    return False
                return True

        return await self._guarded(write) is not False

    def _write_entries(self, pipe: Pipeline, key: str, old: Snapshot | None, new: Snapshot) -> None:
        """Append, when the new snapshot only continues the old one; else write it whole."""
        kept = len(old.entries) if old else 0
        if old is None or not kept or new.entries[:kept] != old.entries:
            pipe.delete(key)
            kept = 0
        added = [msgspec.msgpack.encode(entry) for entry in new.entries[kept:]]
        if added:
            pipe.rpush(key, *added)

    async def _guarded(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        if monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self._patience):
                return await ask()
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = monotonic() + _REST_SECONDS
            _log.warning("redis is away", error=type(error).__name__)
            return None


def _key(account_id: str, stream: Stream) -> str:
    return f"credit-gateway:{_FORMAT}:{{{account_id}}}:{stream}"


def _is(state: State, snapshot: Snapshot | None) -> bool:
    return snapshot is not None and state.version == snapshot.version


def _decoded(raw: bytes | str, shape: type[T]) -> T | None:
    try:
        return msgspec.msgpack.decode(raw if isinstance(raw, bytes) else raw.encode(), type=shape)
    except msgspec.DecodeError:
        return None


async def answers(url: str) -> bool:
    """Say whether the Redis at this address answers."""
    redis = connect(url)
    try:
        await redis.ping()
    except (RedisError, OSError):
        return False
    finally:
        await redis.aclose()
    return True
