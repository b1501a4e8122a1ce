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
each process goes on from what it last heard was left, by the full rate. Where Redis is embedded
there is but this process, and what it counts is all there is.
"""

from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from hashlib import blake2b
from math import ceil, floor
from time import monotonic
from typing import Protocol

from app.redis.buckets import BETWEEN_SECONDS, Allowance, Bucket, Own
from app.redis.guard import Guard, RedisAway, Script

__all__ = ["Allowance", "Rate", "Rates", "header_fields", "raw_header_fields"]

_PREFIX = "credit-gateway:rate:"
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
        self._known: OrderedDict[tuple[str, int, timedelta], Bucket] = OrderedDict()

    async def take(self, who: str, rate: Rate) -> Allowance:
        """Count one request, and say whether it is within the rate.

        Another rate of the same caller is counted for itself. What is refused counts nothing. It
        waits for Redis only where a batch is used up, and never while Redis is away.
        """
        bucket = self._bucket(who, rate)
        if not self._is_alone and bucket.is_dry(self._clock()):
            await self._fill(bucket)
        return bucket.take(self._clock(), alone=self._is_alone)

    def take_at_once(self, who: str, rate: Rate) -> Allowance | None:
        """Do as `take` does; None, and nothing is counted, where that would wait for Redis."""
        bucket, now, alone = self._bucket(who, rate), self._clock(), self._is_alone
        if not alone and bucket.is_dry(now):
            return None
        return bucket.take(now, alone=alone)

    def _bucket(self, who: str, rate: Rate) -> Bucket:
        name = (who, rate.count, rate.per)
        bucket = self._known.get(name)
        if bucket is None:
            own = Own(rate.count, rate.per.total_seconds(), self._clock())
            bucket = self._known[name] = Bucket(self._key(who, own), own)
            self._forget_one()
        self._known.move_to_end(name)
        return bucket

    @property
    def _is_alone(self) -> bool:
        return self._guard.is_embedded or self._guard.is_away

    def _forget_one(self) -> None:
        """Make room for a caller; one that nobody else knows is known until its bucket is full."""
        if len(self._known) > _MOST_KNOWN:
            oldest = next(iter(self._known))
            if not self._guard.is_embedded or self._known[oldest].is_full(self._clock()):
                del self._known[oldest]

    def _key(self, who: str, own: Own) -> str:
        name = f"{own.count}/{own.seconds} {who}".encode(errors="surrogatepass")
        return _PREFIX + blake2b(name, key=self._secret, digest_size=16).hexdigest()

    async def _fill(self, bucket: Bucket) -> None:
        bucket.waiting += 1
        try:
            async with bucket.turn:
                # Whoever had the turn before may have brought enough.
                if bucket.is_dry(self._clock()):
                    await self._ask(bucket)
        finally:
            bucket.waiting -= 1

    async def _ask(self, bucket: Bucket) -> None:
        own, (wanted, back) = bucket.own, bucket.wanted(self._clock())
        at_least = max(floor(own.count / own.seconds * BETWEEN_SECONDS), 1)
        period = round(own.seconds * 1_000_000)
        try:
            given, left, wait = await self._guard.run(
                _TAKE, [bucket.key], [period, own.count, wanted, at_least, back]
            )
        except RedisAway:
            bucket.alone_until = self._clock() + _ALONE_SECONDS
        else:
            bucket.fill(self._clock(), given, left, wait / 1_000_000)


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
