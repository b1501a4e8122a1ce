"""The kept answers of this process, within a bound on the bytes they take."""

from functools import partial

from app.responses.budget import Budget, Room
from app.responses.kept import Kept


class Memory:
    """The most recently used answers."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._kept: dict[bytes, Kept] = {}
        self._by_document: dict[str, set[bytes]] = {}

    def get(self, key: bytes) -> Kept | None:
        """Return the answer that is kept under a key."""
        kept = self._kept.get(key)
        if kept is not None and kept.room is not None:
            self._budget.use(kept.room)
        return kept

    def put(self, kept: Kept) -> None:
        """Keep an answer in place of the one that was under its key."""
        self.discard(kept.key)
        room = Room(kept.weight, partial(self._leave, kept))
        if not self._budget.take(room):
            # Nobody would be told here that it is not true any more.
            kept.is_gone = True
            return
        kept.room = room
        self._kept[kept.key] = kept
        for name in kept.documents:
            self._by_document.setdefault(name, set()).add(kept.key)

    def discard(self, key: bytes) -> None:
        """Take an answer away, also from whoever has it in hand."""
        kept = self._kept.get(key)
        if kept is not None and kept.room is not None:
            self._budget.end(kept.room)

    def changed(self, document: str | None) -> None:
        """Take away what was made of a document; of None, everything."""
        for key in list(self._kept if document is None else self._by_document.get(document, ())):
            self.discard(key)

    def _leave(self, kept: Kept) -> None:
        del self._kept[kept.key]
        kept.is_gone, kept.room = True, None
        for name in kept.documents:
            keys = self._by_document[name]
            keys.discard(kept.key)
            if not keys:
                del self._by_document[name]
        for room in list(kept.copies):
            self._budget.end(room)
