"""The kept answers of this process, bounded by the bytes they take."""

from collections import OrderedDict

from app.responses.kept import Kept


class Memory:
    """The most recently used answers."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._by_document: dict[str, set[bytes]] = {}
        self.bytes = 0

    def get(self, key: bytes) -> Kept | None:
        """Return the answer that is kept under a key."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, kept: Kept) -> None:
        """Keep an answer in place of the one that was under its key."""
        self.discard(kept.key)
        if kept.weight > self._most_bytes:
            # Nobody would be told here that it is not true any more.
            kept.is_gone = True
            return
        self._kept[kept.key] = kept
        self.bytes += kept.weight
        for name in kept.documents:
            self._by_document.setdefault(name, set()).add(kept.key)
        while self.bytes > self._most_bytes:
            self.discard(next(iter(self._kept)))

    def discard(self, key: bytes) -> None:
        """Take an answer away, also from whoever has it in hand."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        kept.is_gone = True
        self.bytes -= kept.weight
        for name in kept.documents:
            keys = self._by_document[name]
            keys.discard(key)
            if not keys:
                del self._by_document[name]

    def changed(self, document: str | None) -> None:
        """Take away what was made of a document; of None, everything."""
        for key in list(self._kept if document is None else self._by_document.get(document, ())):
            self.discard(key)
