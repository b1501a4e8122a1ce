"""The documents this process has decoded, bounded by the bytes they take."""

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Weighed(Protocol):
    @property
    def weight(self) -> int:
        """About how many bytes it takes in memory."""

    @property
    def version(self) -> str: ...


W = TypeVar("W", bound=Weighed)

_MOST_BYTES = 256 * 2**20


class Memory(Generic[W]):
    """The most recently used documents; also what is served while Redis is away.

    A document is current until somebody says that another version of it may be there.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._documents: OrderedDict[str, W] = OrderedDict()
        self._current: set[str] = set()
        self._eras: dict[str, str] = {}
        self.bytes = 0
        # How often a document was doubted: what was read before may be an older one.
        self.doubts = 0

    def get(self, name: str) -> W | None:
        if name in self._documents:
            self._documents.move_to_end(name)
        return self._documents.get(name)

    def is_current(self, name: str) -> bool:
        return name in self._current

    def era(self, name: str) -> str:
        """Return since which purge the document is known."""
        return self._eras.get(name, "")

    def put(self, name: str, document: W, era: str, *, is_current: bool) -> None:
        self.forget(name)
        self._documents[name] = document
        self._eras[name] = era
        self.bytes += document.weight
        if is_current:
            self._current.add(name)
        while self.bytes > self._most_bytes and len(self._documents) > 1:
            self.forget(next(iter(self._documents)))

    def doubt(self, name: str, version: str) -> None:
        """Take a document for current only if it is of that version."""
        known = self._documents.get(name)
        if known is None or known.version != version:
            self._current.discard(name)
            self.doubts += 1

    def doubt_all(self) -> None:
        self._current.clear()
        self.doubts += 1

    def forget(self, name: str) -> None:
        gone = self._documents.pop(name, None)
        self._current.discard(name)
        self._eras.pop(name, None)
        self.bytes -= gone.weight if gone else 0
