"""
Windows that were merged, for whoever asks for the same while the histories are the same.

A dashboard asks for the newest page of its customer again and again; most refreshes find nothing
new. What is remembered is what `window_of` returns each time for the same timelines.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any
from weakref import ref

from app.history.filter import HistoryFilter
from app.history.window import Missing, Slice, Window, window_of
from app.mirror.timeline import Timeline

# Pages of fifty rows take some 5 MB, if nobody else holds any more what is in them.
_MOST = 200
# Of one window: a customer's own list, and that of its only account.
_MOST_MADE = 4


class Merged:
    """What a window shows; `made` is what was made of it, and is there for as long as it is."""

    __slots__ = ("made", "slice")

    def __init__(self, shown: Slice) -> None:
        self.slice = shown
        self.made: dict[Hashable, Any] = {}

    def keep(self, key: Hashable, made: object) -> None:
        """Have something `made` for the next ones."""
        if len(self.made) >= _MOST_MADE:
            self.made.clear()
        self.made[key] = made


class Windows:
    """Remembers the `most` windows that were asked for last.

    It holds no timeline: histories that are gone are not kept by what was shown of them.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, tuple[tuple[ref[Timeline], ...], Merged]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def of(
        self, timelines: Mapping[str, Timeline], chosen: HistoryFilter, window: Window
    ) -> Merged | Missing:
        """Return the rows that a window shows of the merged list, or what is missing to tell."""
        key = (*map(id, timelines.values()), chosen.canonical, window)
        known = self._known.get(key)
        # Another one may be by now where a timeline was that is gone.
        if known and all(at() is not None for at in known[0]):
            self._known.move_to_end(key)
            return known[1]
        found = window_of(timelines, chosen, window)
        if isinstance(found, Missing):
            return found
        merged = Merged(found)
        self._known[key] = tuple(map(ref, timelines.values())), merged
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return merged

    def forget(self) -> None:
        """Let go of everything that was shown."""
        self._known.clear()
