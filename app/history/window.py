"""
One page of a merged history, from what is known of each account.

The canonical order is ascending: time, account, position. A page goes down from a place towards the
older entries, or up from one towards the newer. It is certain only where every source is known;
where it is not, the answer says which sources have to be read back to when, and nothing is guessed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import compress, islice, takewhile
from operator import itemgetter
from typing import NamedTuple

from app.history.filter import HistoryFilter
from app.mirror.timeline import Key, Timeline, instant, microseconds
from app.model.entries import Entry


class Row(NamedTuple):
    """An entry at its place in the merged order; `key[1]` is its account's id."""

    key: Key
    entry: Entry


# A named tuple's own constructor takes four times as long.
_row = partial(tuple.__new__, Row)
_key = itemgetter(0)
# Ids of accounts are hexadecimal digits.
_AFTER_ALL_ACCOUNTS = "~"


@dataclass(frozen=True)
class Window:
    """Which rows of a list are asked for: `count` from its start, or from its end.

    `after` and `before` are places in the list's own direction; rows at them are not included.
    """

    count: int
    from_end: bool = False
    after: Key | None = None
    before: Key | None = None
    oldest_first: bool = False


class Slice(NamedTuple):
    """The rows in the list's own direction, and whether there are any before and after them."""

    rows: list[Row]
    has_previous: bool
    has_next: bool


class Missing(NamedTuple):
    """What has to be known first: these accounts' entries at or after `back_to`; None is all."""

    accounts: frozenset[str]
    back_to: datetime | None


class _Unknown(Exception):
    def __init__(self, missing: Missing) -> None:
        self.missing = missing


def window_of(
    timelines: Mapping[str, Timeline], chosen: HistoryFilter, window: Window
) -> Slice | Missing:
    """Return the rows that a window shows of the merged list, or what is missing to tell."""
    merged = _Merged(timelines, chosen)
    newer, older = window.after, window.before
    if window.oldest_first:
        newer, older = older, newer
    try:
        if window.oldest_first == window.from_end:
            ascending, has_older, has_newer = merged.downwards(newer, older, window.count)
        else:
            ascending, has_older, has_newer = merged.upwards(older, newer, window.count)
    except _Unknown as unknown:
        return unknown.missing
    if window.oldest_first:
        return Slice(ascending, has_older, has_newer)
    return Slice(ascending[::-1], has_newer, has_older)


def count_of(timelines: Mapping[str, Timeline], chosen: HistoryFilter) -> int | None:
    """Return how many entries there are; None until every source is known to its beginning."""
    if any(timeline.horizon is not None for timeline in timelines.values()):
        return None
    return _Merged(timelines, chosen).count()


def everything(timelines: Mapping[str, Timeline], chosen: HistoryFilter) -> list[Row] | Missing:
    """Return all rows of the merged list, oldest first, or what is missing to tell."""
    try:
        return _Merged(timelines, chosen).everything()
    except _Unknown as unknown:
        return unknown.missing


class _Merged:
    def __init__(self, timelines: Mapping[str, Timeline], chosen: HistoryFilter) -> None:
        self._timelines = timelines.values()
        self._start = microseconds(chosen.start) if chosen.start else None
        self._end = microseconds(chosen.end) if chosen.end else None
        # What is unknown of these sources may hold rows of the list.
        self._open = {
            account: timeline.horizon
            for account, timeline in timelines.items()
            if timeline.horizon and (chosen.start is None or timeline.horizon >= chosen.start)
        }
        self._edge = max(self._open.values(), default=None)
        # The bounds are looked up, once for all entries.
        if chosen.start or chosen.end:
            chosen = replace(chosen, start=None, end=None)
        self._keep = chosen.keeps()
        self._keeps_all = not chosen.conditions()

    def downwards(
        self, below: Key | None, above: Key | None, count: int
    ) -> tuple[list[Row], bool, bool]:
        """Collect rows from a place towards the older ones."""
        edge = microseconds(self._edge) if self._edge else None
        known = None if edge is None else (edge, _AFTER_ALL_ACCOUNTS, 0)
        floor = max((one for one in (above, known) if one), default=None)
        rows = self.newest(below, floor, count)
        if len(rows) < count and edge is not None and not (above and edge < above[0]):
            raise self._next_pages()
        if rows:
            return rows[::-1], self._any_down(rows[-1].key), self._any_up(rows[0].key)
        return [], self._any_down(below), below is not None and self._any_up(below, at=True)

    def upwards(
        self, above: Key | None, below: Key | None, count: int
    ) -> tuple[list[Row], bool, bool]:
        """Collect rows from a place towards the newer ones; all of them have to be known."""
        if count:
            self._require(above)
        rows = self.oldest(above, count)
        if below:
            rows = rows[: bisect_left(rows, below, key=_key)]
        if rows:
            return rows, self._any_down(rows[0].key), self._any_up(rows[-1].key)
        return [], above is not None and self._any_down(above, at=True), self._any_up(above)

    def everything(self) -> list[Row]:
        """Collect all rows, oldest first; all of them have to be known."""
        self._require(None)
        rows: list[Row] = []
        for timeline in self._timelines:
            rows += self._all(timeline)
        # Of sorted parts: it only merges them.
        if len(self._timelines) > 1:
            rows.sort(key=_key)
        return rows

    def count(self) -> int:
        """Count what is known and asked for."""
        if self._keeps_all:
            return sum(len(timeline.keys[self._within(timeline)]) for timeline in self._timelines)
        return sum(
            sum(map(self._keep, timeline.entries[self._within(timeline)]))
            for timeline in self._timelines
        )

    def newest(self, below: Key | None, above: Key | None, count: int) -> list[Row]:
        """Collect so much of what is known and asked for between two places, newest first."""
        if not self._keeps_all:
            parts = (self._down(timeline, below, at=False) for timeline in self._timelines)
            merged = islice(merge(*parts, reverse=True), count)
            return list(takewhile(lambda row: above is None or row.key > above, merged))
        found: list[tuple[Key, Entry]] = []
        places = [self._below(timeline, below, at=False) for timeline in self._timelines]
        least = self._least(places, count)
        for timeline, within in zip(self._timelines, places, strict=True):
            begin = max(within.start, within.stop - count)
            if least is not None:
                begin = max(begin, bisect_left(timeline.keys, least))
            if above is not None:
                begin = max(begin, bisect_right(timeline.keys, above))
            last = slice(begin, within.stop)
            found += zip(timeline.keys[last], timeline.entries[last], strict=True)
        found.sort(key=_key, reverse=True)
        return list(map(_row, found[:count]))

    def _least(self, places: Sequence[slice], count: int) -> Key | None:
        """Return a key with each source's share at or above it, so that none newest is below."""
        share = -(-count // len(places)) if places else 0
        parts = zip(self._timelines, places, strict=True)
        keys = [one.keys[at.stop - share] for one, at in parts if at.stop - at.start >= share > 0]
        return min(keys) if keys and len(keys) == len(places) else None

    def oldest(self, above: Key | None, count: int) -> list[Row]:
        """Collect so much of what is known and asked for, oldest first, from a place on."""
        if not self._keeps_all:
            parts = (self._up(timeline, above, at=False) for timeline in self._timelines)
            return list(islice(merge(*parts), count))
        found: list[tuple[Key, Entry]] = []
        for timeline in self._timelines:
            within = self._above(timeline, above, at=False)
            first = slice(within.start, min(within.start + count, within.stop))
            found += zip(timeline.keys[first], timeline.entries[first], strict=True)
        found.sort(key=_key)
        return list(map(_row, found[:count]))

    def _down(self, timeline: Timeline, below: Key | None, *, at: bool) -> Iterator[Row]:
        keys, entries = timeline.keys, timeline.entries
        within = self._below(timeline, below, at=at)
        for index in range(within.stop - 1, within.start - 1, -1):
            if self._keep(entries[index]):
                yield _row((keys[index], entries[index]))

    def _up(self, timeline: Timeline, above: Key | None, *, at: bool) -> Iterator[Row]:
        keys, entries = timeline.keys, timeline.entries
        within = self._above(timeline, above, at=at)
        for index in range(within.start, within.stop):
            if self._keep(entries[index]):
                yield _row((keys[index], entries[index]))

    def _has_down(self, timeline: Timeline, below: Key | None, *, at: bool) -> bool:
        if not self._keeps_all:
            return any(True for _ in self._down(timeline, below, at=at))
        within = self._below(timeline, below, at=at)
        return bool(within.start < within.stop)

    def _has_up(self, timeline: Timeline, above: Key | None, *, at: bool) -> bool:
        if not self._keeps_all:
            return any(True for _ in self._up(timeline, above, at=at))
        within = self._above(timeline, above, at=at)
        return bool(within.start < within.stop)

    def _below(self, timeline: Timeline, below: Key | None, *, at: bool) -> slice:
        """Return where the entries from a place on towards the older ones are."""
        within = self._within(timeline)
        if below is None:
            return within
        place = bisect_right if at else bisect_left
        return slice(within.start, min(within.stop, place(timeline.keys, below)))

    def _above(self, timeline: Timeline, above: Key | None, *, at: bool) -> slice:
        """Return where the entries from a place on towards the newer ones are."""
        within = self._within(timeline)
        if above is None:
            return within
        place = bisect_left if at else bisect_right
        return slice(max(within.start, place(timeline.keys, above)), within.stop)

    def _all(self, timeline: Timeline) -> Iterator[Row]:
        """Yield what is asked for of one account, oldest first; no line of Python runs for each."""
        within = self._within(timeline)
        keys, entries = timeline.keys[within], timeline.entries[within]
        rows = map(_row, zip(keys, entries, strict=True))
        return rows if self._keeps_all else compress(rows, map(self._keep, entries))

    def _within(self, timeline: Timeline) -> slice:
        """Return where the entries between the bounds are."""
        keys = timeline.keys
        begin = bisect_left(keys, (self._start, "", 0)) if self._start is not None else 0
        end = bisect_left(keys, (self._end, "", 0)) if self._end is not None else len(keys)
        return slice(begin, end)

    def _any_down(self, below: Key | None, *, at: bool = False) -> bool:
        """Say whether the list goes on towards the older rows; any known one is proof."""
        if any(self._has_down(timeline, below, at=at) for timeline in self._timelines):
            return True
        if self._open:
            raise self._next_pages()
        return False

    def _any_up(self, above: Key | None, *, at: bool = False) -> bool:
        if any(self._has_up(timeline, above, at=at) for timeline in self._timelines):
            return True
        self._require(above)
        return False

    def _require(self, above: Key | None) -> None:
        """Go on only if every row from a place on is known."""
        floor = above[0] if above else None
        if self._start is not None:
            floor = self._start if floor is None else max(floor, self._start)
        blocking = {
            account: horizon
            for account, horizon in self._open.items()
            if floor is None or microseconds(horizon) >= floor
        }
        if blocking:
            back_to = None if floor is None else instant(floor)
            raise _Unknown(Missing(frozenset(blocking), back_to))

    def _next_pages(self) -> _Unknown:
        """Ask for one page more of the sources whose unknown part begins last, of no other."""
        latest = frozenset(a for a, horizon in self._open.items() if horizon == self._edge)
        return _Unknown(Missing(latest, self._edge))
