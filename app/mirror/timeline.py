"""
The total order of one account's entries: time, then account, then the provider's own order.

A provider lists its entries newest first. What is read of that list becomes a timeline: the
entries whose place can no longer change, oldest first. An entry is held back while entries of its
second, or of its repeated autumn hour, may still follow on the provider's next page, because they
decide its position, its ordinal among equal rows and which of two hours a local time was.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, takewhile

from msgspec.structs import replace

from app.model.entries import Entry

# Time in microseconds since 1970, account id, position within that instant.
Key = tuple[int, str, int]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NOTHING_READ = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Timeline:
    """Entries in their total order, oldest first, each with its key.

    Every entry later than `horizon` is here; None when the history is here to its beginning.
    """

    keys: Sequence[Key]
    entries: Sequence[Entry]
    horizon: datetime | None

    @property
    def complete_from(self) -> datetime | None:
        """The instant from which on every entry is known; None when nothing is."""
        return self.entries[0].at if self.entries else None


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def instant(microseconds_since_1970: int) -> datetime:
    return _EPOCH + microseconds_since_1970 * _MICROSECOND


def ordered(newest_first: Sequence[Entry], account_id: str, *, complete: bool) -> Timeline:
    """Bring what was read of a provider's list into its total order.

    A list that is out of order in itself is brought into the order of its times.
    """
    entries = sorted(_one_reading(newest_first), key=_at)
    edge = None if complete else horizon(newest_first)
    settled = [entry for entry in entries if edge is None or entry.at > edge]
    final = list(_final(settled))
    keys = [(microseconds(entry.at), account_id, entry.position) for entry in final]
    return Timeline(keys, final, edge)


def continued(
    timeline: Timeline,
    known: Sequence[Entry],
    fresh: Sequence[Entry],
    account_id: str,
    *,
    complete: bool,
) -> Timeline | None:
    """Return `ordered` of the known entries and the fresh ones after them, without its work.

    `timeline` is that of the known entries. None where the fresh ones belong among them, or it is
    complete, so that all have to be ordered anew.
    """
    held_back = known[len(timeline.entries) :]
    lower = (*held_back, *fresh)
    edge = timeline.horizon
    if edge is None or any((entry.at_second or entry.at) > edge for entry in lower):
        return None
    if not lower and not complete:
        return timeline
    below = ordered(lower, account_id, complete=complete)
    keys = [*below.keys, *timeline.keys]
    return Timeline(keys, [*below.entries, *timeline.entries], below.horizon)


def _at(entry: Entry) -> datetime:
    return entry.at


def _one_reading(newest_first: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries oldest first, each repeated local time read by its place in the list.

    In the hour that occurs twice the clock only goes forward, so an entry that shows an earlier
    time than the one before it, and all after it, are in the second pass; else it is the first.
    """
    latest: datetime | None = None
    in_second_pass = False
    for entry in reversed(newest_first):
        if entry.at_second is None:
            latest, in_second_pass = None, False
            yield entry
            continue
        if latest is not None and abs(entry.at - latest) > timedelta(hours=2):
            latest, in_second_pass = None, False  # another year's autumn
        in_second_pass = in_second_pass or (latest is not None and entry.at < latest)
        latest = entry.at
        yield replace(entry, at=entry.at_second) if in_second_pass else entry


def horizon(newest_first: Sequence[Entry]) -> datetime:
    """Return the latest instant at which an entry that was not read yet may be."""
    if not newest_first:
        return NOTHING_READ
    undecided = takewhile(lambda entry: entry.at_second is not None, reversed(newest_first))
    return max((entry.at_second or entry.at for entry in undecided), default=newest_first[-1].at)


def _final(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Give each entry its position within its instant and, where it has none, its id."""
    equal: Counter[str] = Counter()
    for _, of_one_instant in groupby(entries, _at):
        for position, entry in enumerate(of_one_instant):
            if entry.has_own_id:
                yield replace(entry, position=position) if position else entry
            else:
                yield replace(entry, position=position, id=f"{entry.id}.{equal[entry.id]}")
                equal[entry.id] += 1
