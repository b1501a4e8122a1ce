"""
What all who use one embedded Redis share beside it.

It is in this process, so nothing has to be encoded, sent and read to be shared there: a script in
Lua takes fakeredis half a millisecond, a dictionary some microseconds.
"""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Hear = Callable[[str], None]


class Embedded:
    """Things of which each embedded Redis has one, and words for whoever listens to a channel."""

    def __init__(self) -> None:
        self._things: dict[Callable[[], Any], Any] = {}
        self._hearing: dict[str, list[Hear]] = {}

    def one(self, kind: Callable[[], T]) -> T:
        """Return the one thing of its kind, made when it is asked for first."""
        if kind not in self._things:
            self._things[kind] = kind()
        thing: T = self._things[kind]
        return thing

    def listen(self, channel: str, hear: Hear) -> None:
        """Call `hear` with each word that is told on a channel, before telling it returns."""
        self._hearing.setdefault(channel, []).append(hear)

    def leave(self, channel: str, hear: Hear) -> None:
        """Call it no more."""
        self._hearing[channel].remove(hear)

    def tell(self, channel: str, word: str) -> None:
        """Tell a word to all who listen to a channel."""
        for hear in tuple(self._hearing.get(channel, ())):
            hear(word)
