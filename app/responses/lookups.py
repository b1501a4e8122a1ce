"""
What the directory said a moment ago, so that not every request asks it anew.

Processes tell each other when they have written into the directory; what one of them said is then
not believed any more. So it is while they cannot be heard, but for Redis being away. And as others
write there who tell nobody, such as a command, nothing is believed for longer than a moment.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from secrets import token_hex
from time import monotonic
from typing import Any, NamedTuple

from app.directory.directory import Directory
from app.redis.changes import Changes
from app.redis.guard import Guard, RedisAway

# What was linked or unlinked is to be seen everywhere within a second, also in an answer that was
# made of what was known then and is given for as long again.
LASTS_SECONDS = 0.4
# Some 10 MB; more customers than that at a time are looked up again now and then.
_MOST_REMEMBERED = 10_000
# Ids and references are shorter; callers ask for anything.
_LONGEST_REMEMBERED = 200
_WORD = "directory"


class Kind(StrEnum):
    """What is looked up, and by what."""

    CUSTOMER_BY_REFERENCE = "customer by reference"
    CUSTOMER_BY_ID = "customer by id"
    ACCOUNTS_BY_CUSTOMER = "accounts by customer"
    ACCOUNT_BY_ID = "account by id"


class Lookup(NamedTuple):
    kind: Kind
    key: str


class Remembered(NamedTuple):
    """What the directory said of a key; it is believed `until`, by the monotonic clock."""

    until: float
    found: Any


class Lookups:
    """Looks up customers and accounts as the directory does, and tells whoever does when to forget.

    What was looked up until `doubted_at`, by the monotonic clock, may not be so any more.
    """

    def __init__(self, directory: Directory, changes: Changes, guard: Guard) -> None:
        self._ask: Mapping[Kind, Callable[[Sequence[str]], Awaitable[Sequence[Any]]]] = {
            Kind.CUSTOMER_BY_REFERENCE: directory.customers_by_reference,
            Kind.CUSTOMER_BY_ID: directory.customers_by_id,
            Kind.ACCOUNTS_BY_CUSTOMER: directory.accounts_by_customer,
            Kind.ACCOUNT_BY_ID: directory.accounts_by_id,
        }
        self._changes = changes
        self._guard = guard
        self._answers: OrderedDict[Lookup, Remembered] = OrderedDict()
        self._asking: dict[Lookup, asyncio.Task[dict[str, Any]]] = {}
        self._doubts = 0
        self.doubted_at = 0.0
        directory.on_write(self._written)
        changes.listen(self._heard, self._doubt)

    async def found(self, kind: Kind, keys: Sequence[str]) -> list[Any]:
        """Return what the directory says of each key, in their order: a record, a list or None.

        It is at most `LASTS_SECONDS` old; raises as the directory does.
        """
        answers: dict[str, Any] = {}
        for key in keys:
            if known := self.at_hand(kind, key):
                answers[key] = known.found
        lacking = [key for key in dict.fromkeys(keys) if key not in answers]
        for asked in self._asked(kind, lacking):
            answers |= await asyncio.shield(asked)
        return [answers[key] for key in keys]

    def at_hand(self, kind: Kind, key: str) -> Remembered | None:
        """Return what the directory said of a key; None where it has to be asked."""
        known = self._answers.get(Lookup(kind, key))
        if known is None or monotonic() >= known.until:
            return None
        return known if self._changes.is_live or self._guard.is_away else None

    async def all(self, lookups: Collection[Lookup]) -> dict[Lookup, Any]:
        """Return what the directory says of each of them, as `found` does."""
        by_kind: dict[Kind, list[str]] = {}
        for kind, key in lookups:
            by_kind.setdefault(kind, []).append(key)
        answers: dict[Lookup, Any] = {}
        for kind, keys in by_kind.items():
            found = await self.found(kind, keys)
            answers |= {Lookup(kind, key): one for key, one in zip(keys, found, strict=True)}
        return answers

    def _asked(self, kind: Kind, keys: Sequence[str]) -> set[asyncio.Task[dict[str, Any]]]:
        """Return what asks for these keys; equal ones of a moment are asked for once."""
        new = [key for key in keys if Lookup(kind, key) not in self._asking]
        if new:
            task = asyncio.get_running_loop().create_task(self._ask_for(kind, new))
            # Where everybody went away, nobody wants its error either.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._asking |= {Lookup(kind, key): task for key in new}
        return {self._asking[Lookup(kind, key)] for key in keys}

    async def _ask_for(self, kind: Kind, keys: Sequence[str]) -> dict[str, Any]:
        until = monotonic() + LASTS_SECONDS
        this, doubts = asyncio.current_task(), self._doubts
        try:
            answers = dict(zip(keys, await self._ask[kind](keys), strict=True))
        finally:
            for key in keys:
                if self._asking.get(Lookup(kind, key)) is this:
                    del self._asking[Lookup(kind, key)]
        if doubts == self._doubts:
            for key, found in answers.items():
                self._remember(Lookup(kind, key), until, found)
        return answers

    def _remember(self, lookup: Lookup, until: float, found: object) -> None:
        if len(lookup.key) > _LONGEST_REMEMBERED:
            return
        self._answers[lookup] = Remembered(until, found)
        self._answers.move_to_end(lookup)
        if len(self._answers) > _MOST_REMEMBERED:
            self._answers.popitem(last=False)

    async def _written(self) -> None:
        self._doubt()
        with suppress(RedisAway):
            # It is told whole, as a version of something is.
            await self._changes.publish(self._guard, f"{_WORD} {token_hex(8)}")

    def _heard(self, told: str) -> None:
        if told.startswith(f"{_WORD} "):
            self._doubt()

    def _doubt(self) -> None:
        self._doubts += 1
        self._answers.clear()
        self._asking.clear()
        self.doubted_at = monotonic()
