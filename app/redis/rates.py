"""
How often each caller may do a thing, over all processes together.

One bucket for each caller lies in Redis: `count` tokens that come back evenly over `per`. A process
takes tokens from it in batches, so that not every request asks Redis:

- A batch begins with one token and doubles while batches are used up at once; a caller who asks now
  and then costs one round trip each time, and strands nothing.
- It is at most a tenth of what is left, so that what one process holds is at most a tenth of what
  the others may still want; near the end it is single tokens, or as many as come back in a
  twentieth of a second.
- What is left of it after a second, or a sixtieth of a shorter `per` than a minute, is not used
  any more, but given back when the process asks next.
- Who was refused is refused without asking, until a token has come back.

So no more than `count` and what came back since are ever taken. As tokens may be used a little
after they were taken, one interval may have what comes back in the life of a batch in addition: a
sixtieth of `count` for a rate by the minute or a shorter time.

Each process also counts for itself what it allows, and never allows more than the rate on its own.
That holds where Redis has forgotten a bucket, and alone where it is away or not heard in time: then
each process goes on from what it last heard was left, by the full rate.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from math import ceil, floor
from time import monotonic
from typing import NamedTuple, Protocol

from app.redis.guard import Guard, RedisAway, Script

_PREFIX = "credit-gateway:rate:"
_BATCH_SECONDS = 1.0
_SHORTEST_BATCHES = 60
# More seldom than so a process does not ask for one caller's single tokens.
_BETWEEN_SECONDS = 0.05
# As often as the guard looks whether Redis is back.
_ALONE_SECONDS = 0.5
# A known caller takes less than a kilobyte.
_MOST_KNOWN = 10_000

# The key holds when the bucket will be full. ARGV: microseconds of the period, count, how many are
# wanted, how many may be given whatever is left, and how many are given back. A clock that went
# back leaves the bucket empty at worst.
_TAKE = Script("""
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local period, count, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local each = period / count
local full_at = math.min(tonumber(redis.call('GET', KEYS[1]) or '0'), now + period)
full_at = math.max(now, full_at - tonumber(ARGV[5]) * each)
local left = math.floor((now + period - full_at) / each)
local given = math.min(wanted, left, math.max(tonumber(ARGV[4]), math.floor(left / 10)))
full_at = full_at + given * each
left = left - given
local life = string.format('%.0f', math.ceil((full_at - now) / 1000) + 1)
redis.call('SET', KEYS[1], string.format('%.3f', full_at), 'PX', life)
local wait = 0
if left < 1 then wait = math.ceil(math.max(full_at + each - period - now, 1)) end
return {given, left, wait}
""")


class Rate(Protocol):
    """At most `count` in any `per`."""

    @property
    def count(self) -> int: ...

    @property
    def per(self) -> timedelta: ...


class Allowance(NamedTuple):
    """Whether it is allowed, and what is left: of `limit` in `period_seconds`, `remaining`.

    `remaining` is as last heard of the other processes. After `reset_seconds` the bucket is full
    again if nobody asks, and after `retry_after_seconds` a refused caller may ask again; 0 where it
    is allowed.
    """

    allowed: bool
    limit: int
    period_seconds: float
    remaining: int
    reset_seconds: float
    retry_after_seconds: float


class Rates:
    """Counts what callers do, who are hidden in Redis by a `secret` of at most 64 bytes.

    It is the same in all processes. Only the callers who asked last are remembered in this one.
    """

    def __init__(
        self, guard: Guard, *, secret: bytes, clock: Callable[[], float] = monotonic
    ) -> None:
        self._guard = guard
        self._secret = secret
        self._clock = clock
        self._known: OrderedDict[tuple[str, int, timedelta], _Bucket] = OrderedDict()

    async def take(self, who: str, rate: Rate) -> Allowance:
        """Count one request, and say whether it is within the rate.

        Another rate of the same caller is counted for itself. What is refused counts nothing. It
        waits for Redis only where a batch is used up, and never while Redis is away.
        """
        bucket = self._bucket(who, rate)
        if not self._guard.is_away and bucket.is_dry(self._clock()):
            await self._fill(bucket)
        return bucket.take(self._clock(), alone=self._guard.is_away)

    def take_at_once(self, who: str, rate: Rate) -> Allowance | None:
        """Do as `take` does; None, and nothing is counted, where that would wait for Redis."""
        bucket, now, alone = self._bucket(who, rate), self._clock(), self._guard.is_away
        if not alone and bucket.is_dry(now):
            return None
        return bucket.take(now, alone=alone)

    def _bucket(self, who: str, rate: Rate) -> "_Bucket":
        name = (who, rate.count, rate.per)
        bucket = self._known.get(name)
        if bucket is None:
            own = _Own(rate.count, rate.per.total_seconds(), self._clock())
            bucket = self._known[name] = _Bucket(self._key(who, own), own)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        self._known.move_to_end(name)
        return bucket

    def _key(self, who: str, own: "_Own") -> str:
        name = f"{own.count}/{own.seconds} {who}".encode(errors="surrogatepass")
        return _PREFIX + blake2b(name, key=self._secret, digest_size=16).hexdigest()

    async def _fill(self, bucket: "_Bucket") -> None:
        bucket.waiting += 1
        try:
            async with bucket.turn:
                # Whoever had the turn before may have brought enough.
                if bucket.is_dry(self._clock()):
                    await self._ask(bucket)
        finally:
            bucket.waiting -= 1

    async def _ask(self, bucket: "_Bucket") -> None:
        own, (wanted, back) = bucket.own, bucket.wanted(self._clock())
        at_least = max(floor(own.count / own.seconds * _BETWEEN_SECONDS), 1)
        period = round(own.seconds * 1_000_000)
        try:
            given, left, wait = await self._guard.run(
                _TAKE, [bucket.key], [period, own.count, wanted, at_least, back]
            )
        except RedisAway:
            bucket.alone_until = self._clock() + _ALONE_SECONDS
        else:
            bucket.fill(self._clock(), given, left, wait / 1_000_000)


class _Own:
    """The bucket that one process keeps by itself: full at first."""

    def __init__(self, count: int, seconds: float, now: float) -> None:
        self.count = count
        self.seconds = seconds
        self._left = float(count)
        self._at = now

    def left(self, now: float) -> float:
        left = self._left
        if now > self._at:
            left += (now - self._at) * self.count / self.seconds
        return min(left, self.count)

    def take(self, now: float) -> float:
        """Take one and return how many are left."""
        self._left, self._at = self.left(now) - 1, now
        return self._left

    def lower(self, now: float, left: float) -> None:
        self._left, self._at = min(self.left(now), left), now

    def wait(self, left: float) -> float:
        """Return in how many seconds there will be one, where so many are left."""
        return max(1 - left, 0) * self.seconds / self.count


@dataclass
class _Bucket:
    """What this process knows of a caller: its own count, and the batch that it took last."""

    key: str
    own: _Own
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    alone_until: float = float("-inf")
    _batch: int = 0
    _held: int = 0
    _taken_at: float = float("-inf")
    _used_up_at: float = float("inf")
    _left: int = 0
    _refused_until: float = float("-inf")
    _is_alone: bool = False

    @property
    def _life(self) -> float:
        return min(_BATCH_SECONDS, self.own.seconds / _SHORTEST_BATCHES)

    def is_dry(self, now: float) -> bool:
        """Say whether Redis has to be asked before a request can be allowed or refused."""
        if now < self.alone_until or now < self._refused_until or self.own.left(now) < 1:
            return False
        return not self._held or now >= self._taken_at + self._life

    def wanted(self, now: float) -> tuple[int, int]:
        """Return how many to ask for, and how many of the last batch are given back with that."""
        used, back = self._batch - self._held, self._held
        self._held = 0
        size = used
        if not back and self._used_up_at < self._taken_at + self._life / 2:
            size = 2 * used if now < self._taken_at + self._life else used
        return max(size, self.waiting, 1), back

    def fill(self, now: float, given: int, left: int, wait: float) -> None:
        self._batch = self._held = given
        self._taken_at, self._used_up_at = now, float("inf")
        self._left = left
        if not given:
            self._refused_until = now + max(wait, _BETWEEN_SECONDS)

    def take(self, now: float, *, alone: bool) -> Allowance:
        alone = alone or now < self.alone_until
        if alone and not self._is_alone:
            back = (now - self._taken_at) * self.own.count / self.own.seconds
            self.own.lower(now, self._left + self._held + back)
        self._is_alone = alone
        own, wait = self.own.left(now), 0.0
        allowed = own >= 1 and (alone or self._held > 0)
        if allowed:
            own = self.own.take(now)
            if self._held:
                self._held -= 1
                self._used_up_at = now if not self._held else self._used_up_at
        else:
            wait = max(self.own.wait(own), 0 if alone else self._refused_until - now, 0.0)
        left = own if alone else min(own, self._left + self._held)
        return Allowance(
            allowed,
            self.own.count,
            self.own.seconds,
            remaining=floor(left) if allowed else 0,
            reset_seconds=(self.own.count - left) * self.own.seconds / self.own.count,
            retry_after_seconds=wait,
        )


def raw_header_fields(allowance: Allowance) -> list[tuple[bytes, bytes]]:
    """Return the header fields of `header_fields` as they are sent."""
    if allowance.allowed:
        limit, period = allowance.limit, allowance.period_seconds
        lasts = max(ceil(allowance.remaining * period / limit), 1)
        return [
            (b"ratelimit-policy", b'"default";q=%d;w=%d' % (limit, max(ceil(period), 1))),
            (b"ratelimit", b'"default";r=%d;t=%d' % (allowance.remaining, lasts)),
        ]
    return [
        (name.lower().encode(), value.encode()) for name, value in header_fields(allowance).items()
    ]


def header_fields(allowance: Allowance, policy: str = "default") -> dict[str, str]:
    """Return the header fields that tell an allowance, and `Retry-After` where it is refused.

    They follow draft-ietf-httpapi-ratelimit-headers-11. Its `t` is the time for which `r` is to
    last: who spreads the one over the other asks as often as tokens come back, and `Retry-After` is
    never before its end. Times are whole seconds, rounded up.
    """
    window = max(ceil(allowance.period_seconds), 1)
    if not allowance.allowed:
        lasts = max(ceil(allowance.retry_after_seconds), 1)
        return {
            **_fields(policy, allowance.limit, window, 0, lasts),
            "Retry-After": str(lasts),
        }
    lasts = max(ceil(allowance.remaining * allowance.period_seconds / allowance.limit), 1)
    return _fields(policy, allowance.limit, window, allowance.remaining, lasts)


def _fields(policy: str, limit: int, window: int, remaining: int, lasts: int) -> dict[str, str]:
    return {
        "RateLimit-Policy": f'"{policy}";q={limit};w={window}',
        "RateLimit": f'"{policy}";r={remaining};t={lasts}',
    }
