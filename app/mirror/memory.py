"""The snapshots this process has decoded, bounded by their entries."""

from collections import OrderedDict
from collections.abc import Hashable

from app.mirror.snapshot import Snapshot

# At about 2 kB an entry, 200 MB.
_MOST_ENTRIES = 100_000


class Memory:
    """The most recently used snapshots; also what is served while Redis is away."""

    def __init__(self, most_entries: int = _MOST_ENTRIES) -> None:
        self._most_entries = most_entries
        self._snapshots: OrderedDict[Hashable, Snapshot] = OrderedDict()
        self._entries = 0

    def get(self, key: Hashable) -> Snapshot | None:
        if key in self._snapshots:
            self._snapshots.move_to_end(key)
        return self._snapshots.get(key)

    def put(self, key: Hashable, snapshot: Snapshot) -> None:
        self._drop(key)
        self._snapshots[key] = snapshot
        self._entries += _weight(snapshot)
        while self._entries > self._most_entries and len(self._snapshots) > 1:
            self._drop(next(iter(self._snapshots)))

    def _drop(self, key: Hashable) -> None:
        gone = self._snapshots.pop(key, None)
        self._entries -= _weight(gone) if gone else 0


def _weight(snapshot: Snapshot) -> int:
    return len(snapshot.entries) + 1
