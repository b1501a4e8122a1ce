"""One bound on the bytes that lie in several places of this process."""

from collections import OrderedDict
from collections.abc import Callable


class Room:
    """So many bytes for one thing. `leave` takes it out of where it lies."""

    __slots__ = ("leave", "weight")

    def __init__(self, weight: int, leave: Callable[[], None]) -> None:
        self.weight = weight
        self.leave = leave


class Budget:
    """At most `most_bytes` in all places together; what was used longest ago makes room."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._rooms: OrderedDict[Room, None] = OrderedDict()

    def take(self, room: Room) -> bool:
        """Give a thing its room; say no where it needs more than there is altogether."""
        if room.weight > self.most_bytes:
            return False
        self._rooms[room] = None
        self.bytes += room.weight
        while self.bytes > self.most_bytes:
            self.end(next(iter(self._rooms)))
        return True

    def use(self, room: Room) -> None:
        """Note that a thing was used, so that it stays longer than others."""
        if room in self._rooms:
            self._rooms.move_to_end(room)

    def end(self, room: Room) -> None:
        """Take a thing out of where it lies, and its room back; again is not at all."""
        if room in self._rooms:
            del self._rooms[room]
            self.bytes -= room.weight
            room.leave()
