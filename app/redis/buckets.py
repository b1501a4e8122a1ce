"""What one process knows of one caller's rate: its own count, and its batch of the shared one."""

import asyncio
from dataclasses import dataclass, field
from math import floor
from typing import NamedTuple

# How long a batch is used, or shorter in a period that is shorter than so many of them.
BATCH_SECONDS = 1.0
SHORTEST_BATCHES = 60
# More seldom than so a process does not ask for one caller's single tokens.
BETWEEN_SECONDS = 0.05


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


class Own:
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
class Bucket:
    """What this process knows of a caller: its own count, and the batch that it took last."""

    key: str
    own: Own
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
        return min(BATCH_SECONDS, self.own.seconds / SHORTEST_BATCHES)

    def is_dry(self, now: float) -> bool:
        """Say whether Redis has to be asked before a request can be allowed or refused."""
        if now < self.alone_until or now < self._refused_until or self.own.left(now) < 1:
            return False
        return not self._held or now >= self._taken_at + self._life

    def is_full(self, now: float) -> bool:
        """Say whether nothing is left of what this process counted."""
        return self.own.left(now) >= self.own.count

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
            self._refused_until = now + max(wait, BETWEEN_SECONDS)

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
