"""
Documents in Redis: the only file that says how they are kept there.

A document is one hash: its version `v`, its state `s`, the names `n` of its blocks, each block
under its name, and the last failure `f` to read it. It vanishes as a whole or not at all. It is
read in one round trip, which brings only the blocks that the reader lacks, and written only over
the version that the writer continued. A purge begins a new era `e`, in which nothing of an older
one is read or written. Beside it lie the leases of whoever is renewing it. All keys of one account
have one hash tag. Each change is told on one channel, by name and new version.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from secrets import token_hex
from typing import NamedTuple, Protocol

from app.mirror.documents import Lease
from app.redis.connection import Client
from app.redis.guard import Guard, Script

# Counts on when a release writes otherwise than the one before.
_PREFIX = "credit-gateway:2:"
CHANNEL = f"{_PREFIX}changes"
# A process that was killed holds up the others for so long; a living one renews its lease.
LEASE = timedelta(seconds=3)
# How long a failure is told that belongs to no document.
FAILURE_KEPT_FOR = timedelta(minutes=10)

# What is told of a document in place of a version.
FAILED = "failed"
PURGED = "purged"
WORKS = ("lease", "rebuild")

_LOOK = Script("""
local is_ours = 0
if #KEYS == 2 and (redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
    or redis.call('GET', KEYS[2]) == ARGV[2]) then is_ours = 1 end
local found = redis.call('HMGET', KEYS[1], 'v', 's', 'n', 'f', 'e')
local answer = {is_ours, found[1], found[2], found[3], found[4], found[5]}
if found[1] and found[3] and found[1] ~= ARGV[1] then
  local known = {}
  for i = 4, #ARGV do known[ARGV[i]] = true end
  for name in string.gmatch(found[3], '%S+') do
    if not known[name] then
      table.insert(answer, name)
      table.insert(answer, redis.call('HGET', KEYS[1], name) or '')
    end
  end
end
return answer
""")

_SAVE = Script("""
local there = redis.call('HMGET', KEYS[1], 'v', 'e')
if there[2] and there[2] ~= ARGV[8] then return 'purged' end
if there[1] and there[1] ~= ARGV[3] and there[1] ~= ARGV[4] then return 'other' end
local given, kept = {}, {}
for i = 10, #ARGV, 2 do given[ARGV[i]] = ARGV[i + 1] end
for name in string.gmatch(ARGV[6], '%S+') do
  kept[name] = true
  if not given[name] and redis.call('HEXISTS', KEYS[1], name) == 0 then return 'incomplete' end
end
for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
  if not kept[name] then redis.call('HDEL', KEYS[1], name) end
end
for name, block in pairs(given) do redis.call('HSET', KEYS[1], name, block) end
redis.call('HSET', KEYS[1], 'v', ARGV[4], 's', ARGV[5], 'n', ARGV[6])
if ARGV[8] ~= '' then redis.call('HSET', KEYS[1], 'e', ARGV[8]) end
redis.call('PEXPIRE', KEYS[1], ARGV[7])
if KEYS[2] and redis.call('GET', KEYS[2]) == ARGV[9] then redis.call('DEL', KEYS[2]) end
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[4])
return 'saved'
""")

_FAIL = Script("""
redis.call('HSET', KEYS[1], 'f', ARGV[3])
if redis.call('PTTL', KEYS[1]) < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[5])
""")

_PURGE = Script("""
for _, key in ipairs(KEYS) do redis.call('DEL', key) end
redis.call('HSET', KEYS[1], 'e', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[1], ARGV[2] .. ' ' .. ARGV[5])
""")

_RENEW = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
""")

_RELEASE = Script("""
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
""")


class Found(NamedTuple):
    """What is in Redis: nothing where `version` is None; `era` is "" before the first purge.

    `blocks` are those of `names` that the reader lacked, empty where one is missing. `is_ours` says
    whether the lease that was asked for was given.
    """

    version: str | None
    state: bytes | None
    names: tuple[str, ...]
    blocks: Mapping[str, bytes]
    failure: bytes | None
    era: str
    is_ours: bool


class Saved(StrEnum):
    """What became of a write: done, or refused.

    It is refused for another version, for a purge since, or for blocks that are gone.
    """

    SAVED = "saved"
    OTHER = "other"
    PURGED = "purged"
    INCOMPLETE = "incomplete"


class Encoded(NamedTuple):
    """A document as it is written; `blocks` maps all of its names, in order."""

    version: str
    state: bytes
    blocks: Mapping[str, bytes | None]


def name_of(account_id: str, kind: str, revision: int) -> str:
    """Return the name of an account's document, by which it is told of.

    An account that was linked with other credentials is another revision, and has documents of its
    own: those of the former are served to nobody, even where nobody could take them away.
    """
    return f"{{{account_id}}}:{revision}:{kind}"


class DocumentStore(Protocol):
    """Reads and writes documents; each call raises `RedisAway` while Redis is."""

    @property
    def is_away(self) -> bool:
        """Whether nothing is asked of Redis now."""

    async def look(
        self, name: str, known: tuple[str, Sequence[str]] = ("", ()), lease: Lease | None = None
    ) -> Found:
        """Return a document as it is, and take a lease where one is asked for and free.

        `known` is the version and the names of the blocks that the reader has.
        """

    async def versions(self, names: Sequence[str]) -> list[str | None]:
        """Return the versions of these documents as they are, None where there is none."""

    async def save(
        self,
        name: str,
        document: Encoded,
        *,
        over: str | None,
        era: str,
        lease: Lease | None = None,
    ) -> Saved:
        """Write a document over that version; blocks without data are those it has already.

        With a `lease`, that is given back where it was written.
        """

    async def fail(self, name: str, failure: bytes) -> None:
        """Write why a document could not be read."""

    async def purge(self, name: str) -> None:
        """Take a document away, also from the memory of all processes; nobody may continue it.

        That is known for as long as what somebody remembers of it may be served.
        """

    async def renew(self, lease: Lease) -> None:
        """Begin the life of a lease again, if it is still ours."""

    async def release(self, lease: Lease) -> None:
        """Give a lease back, if it is still ours."""


class RedisStore:
    """The documents in a Redis of its own."""

    def __init__(self, guard: Guard, *, kept_for: timedelta) -> None:
        self._guard = guard
        self._kept_for = kept_for

    @property
    def is_away(self) -> bool:
        return self._guard.is_away

    async def look(
        self, name: str, known: tuple[str, Sequence[str]] = ("", ()), lease: Lease | None = None
    ) -> Found:
        keys = [f"{_PREFIX}{name}", *([_key(lease)] if lease else [])]
        version, names = known
        token = lease.token if lease else ""
        answer = await self._guard.run(_LOOK, keys, [version, token, _milliseconds(LEASE), *names])
        is_ours, there, state, listed, failure, era, *blocks = answer
        pairs = zip(blocks[::2], blocks[1::2], strict=True)
        return Found(
            _text(there) or None,
            state,
            tuple(_text(listed).split()),
            {_text(block): data for block, data in pairs},
            failure,
            _text(era),
            bool(is_ours),
        )

    async def versions(self, names: Sequence[str]) -> list[str | None]:
        async def look(client: Client) -> list[bytes | None]:
            pipeline = client.pipeline(transaction=False)
            for name in names:
                pipeline.hget(f"{_PREFIX}{name}", "v")
            return list(await pipeline.execute())

        return [_text(found) or None for found in await self._guard.ask(look)]

    async def save(
        self,
        name: str,
        document: Encoded,
        *,
        over: str | None,
        era: str,
        lease: Lease | None = None,
    ) -> Saved:
        args: list[str | bytes | int] = [
            *(CHANNEL, name, _bytes(over or ""), document.version, document.state),
            *(" ".join(document.blocks), _milliseconds(self._kept_for), _bytes(era)),
            lease.token if lease else "",
        ]
        for block, data in document.blocks.items():
            args += [block, data] if data is not None else []
        keys = [f"{_PREFIX}{name}", *([_key(lease)] if lease else [])]
        return Saved((await self._guard.run(_SAVE, keys, args)).decode())

    async def fail(self, name: str, failure: bytes) -> None:
        args: list[str | bytes | int] = [CHANNEL, name]
        args += [failure, _milliseconds(FAILURE_KEPT_FOR), FAILED]
        await self._guard.run(_FAIL, [f"{_PREFIX}{name}"], args)

    async def purge(self, name: str) -> None:
        key, era = f"{_PREFIX}{name}", token_hex(8)
        args: list[str | int] = [CHANNEL, name, era, _milliseconds(self._kept_for), PURGED]
        await self._guard.run(_PURGE, [key, *(f"{key}:{work}" for work in WORKS)], args)

    async def renew(self, lease: Lease) -> None:
        await self._guard.run(_RENEW, [_key(lease)], [lease.token, _milliseconds(LEASE)])

    async def release(self, lease: Lease) -> None:
        await self._guard.run(_RELEASE, [_key(lease)], [lease.token])


def _key(lease: Lease) -> str:
    return f"{_PREFIX}{lease.document}:{lease.work}"


def _text(raw: bytes | None) -> str:
    # What was damaged has to be named too, to be written over.
    return raw.decode("latin-1") if raw else ""


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _milliseconds(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)
