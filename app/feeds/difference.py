"""
What is new in a history since it was last looked at; no I/O.

An entry is new where it is later than all that could have been known before without having been
read, and was not known. So what a deeper reading brings is not new, nor is what is read again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from itertools import chain, islice
from typing import NamedTuple, Self

import msgspec
from msgspec.structs import replace

from app.mirror.snapshot import Snapshot
from app.mirror.timeline import Timeline, ordered
from app.model.entries import Entry, Payment

# Of each history so many entries, the newest, are known by id: as many as two refreshes can bring,
# of five pages of a hundred. That takes 0.3 MB at most, however long the history is.
MOST_KNOWN = 1000
_DIGEST_BYTES = 8


class Mark(NamedTuple):
    """What is remembered of an entry: `content` changes where a change of it is told."""

    at: datetime
    content: bytes


class Depth(NamedTuple):
    """How deep a history has to be read first: back to that instant; None is its beginning."""

    back_to: datetime | None


@dataclass(frozen=True)
class Seen:
    """What a listener may know of a history: each entry later than `floor`, by id.

    None for `floor` is the beginning of the history.
    """

    floor: datetime | None
    marks: Mapping[str, Mark]

    @classmethod
    def first(cls, part: Timeline) -> Self:
        """Return what is known after the first look, by which nothing is new."""
        return cls(part.horizon, _marks(part.entries))

    def lacks(self, part: Timeline) -> Depth | None:
        """Return how deep the history has to be read to show all that is new; None if it does.

        One that was lost, and read anew, may end above what is known.
        """
        newest = max((mark.at for mark in self.marks.values()), default=self.floor)
        if part.horizon is None or (newest and part.horizon < newest):
            return None
        return Depth(newest)

    def then(self, part: Timeline) -> tuple["Seen", list[Entry]]:
        """Return what is known after another look, and what is new by it, oldest first.

        An entry that is gone stays known, so that it is not new again where it comes back.
        """
        marks = _marks(part.entries)
        news = [entry for entry in part.entries if self._is_new(entry, marks[entry.id])]
        floor = min(self.floor, part.horizon) if self.floor and part.horizon else None
        return _bounded(floor, {**self.marks, **marks}), news

    def _is_new(self, entry: Entry, mark: Mark) -> bool:
        known = self.marks.get(entry.id)
        if known is None:
            return self.floor is None or entry.at > self.floor
        return known.content != mark.content


def lacks_a_beginning(part: Timeline) -> Depth | None:
    """Return how deep the history has to be read for a first look; None if it does.

    Of a single second nothing is certain, as entries of it may follow.
    """
    return None if part.entries or part.horizon is None else Depth(part.horizon)


def newest_part(snapshot: Snapshot) -> Timeline:
    """Return the newest entries of a history in their order, as many as are known by id.

    Their order takes as long however long the history is.
    """
    known = tuple(islice(chain.from_iterable(one.entries for one in snapshot.blocks), MOST_KNOWN))
    is_all = len(known) == sum(len(one.entries) for one in snapshot.blocks)
    return ordered(known, snapshot.account_id, complete=snapshot.complete and is_all)


def _marks(entries: Iterable[Entry]) -> dict[str, Mark]:
    return {entry.id: Mark(entry.at, _content(entry)) for entry in entries}


def _content(entry: Entry) -> bytes:
    """Return a digest of a payment, which may change; a credit change is told only once."""
    if not isinstance(entry, Payment):
        return b""
    # Another payment of its second may change its position, but nothing of it.
    told = msgspec.msgpack.encode(replace(entry, position=0))
    return blake2b(told, digest_size=_DIGEST_BYTES).digest()


def _bounded(floor: datetime | None, marks: Mapping[str, Mark]) -> Seen:
    if len(marks) > MOST_KNOWN:
        floor = sorted(mark.at for mark in marks.values())[-MOST_KNOWN - 1]
        marks = {one: mark for one, mark in marks.items() if mark.at > floor}
    return Seen(floor, marks)
