"""Which version of a document is the newest, as the processes tell each other."""

from collections import OrderedDict
from collections.abc import Callable, Mapping

from app.redis.changes import Changes
from app.redis.guard import Guard

# Some 20 MB. Of what was forgotten, answers that are being made are not kept.
_MOST_KNOWN = 50_000
_BEFORE_ALL = -1


class Versions:
    """The versions that this process knows. `are_certain` says whether any other may be served.

    While Redis is away a process has but its own, which it serves, and is told of no others.
    `changed` is called with a document's name once another version of it is there, and with None
    when any may have changed.
    """

    def __init__(
        self, changes: Changes, guard: Guard, changed: Callable[[str | None], None]
    ) -> None:
        self._changes = changes
        self._guard = guard
        self._changed = changed
        self._epoch = changes.epoch
        # With the mark at which they were put there.
        self._known: OrderedDict[str, tuple[str, int]] = OrderedDict()
        # Grows with each word; what was forgotten had been told up to that one.
        self._mark = 0
        self._forgotten = 0
        changes.listen(self._heard, self._forget, at_once=True)

    @property
    def are_heard(self) -> bool:
        """Whether the others are heard, and Redis can be asked for what is not known here."""
        self._note_epoch()
        return self._changes.is_live

    @property
    def are_certain(self) -> bool:
        return self.are_heard or self._guard.is_away

    @property
    def mark(self) -> int:
        """How many words were told so far; one before all of them while words may be missed.

        What is read then may be of a version whose successor is never told here.
        """
        return self._mark if self.are_certain else _BEFORE_ALL

    def known(self, document: str) -> str | None:
        """Return the newest version of a document; None where this process does not know it."""
        known = self._known.get(document)
        return known[0] if known else None

    def learn(self, read: Mapping[str, str], since: int) -> bool:
        """Say whether all these versions, read after that `mark`, are the newest."""
        if not self.are_certain or since < self._forgotten:
            return False
        if any(self.known(name) not in (None, version) for name, version in read.items()):
            return False
        for name, version in read.items():
            self._put(name, version)
        return True

    def _heard(self, told: str) -> None:
        name, _, version = told.rpartition(" ")
        self._mark += 1
        if self.known(name) != version:
            self._changed(name)
        self._put(name, version)

    def _note_epoch(self) -> None:
        """Doubt everything once the others are heard again: what they said meanwhile was missed."""
        if self._epoch != self._changes.epoch:
            self._epoch = self._changes.epoch
            self._forget()
            self._changed(None)

    def _forget(self) -> None:
        self._mark += 1
        self._forgotten = self._mark
        self._known.clear()

    def _put(self, name: str, version: str) -> None:
        self._known[name] = (version, self._mark)
        self._known.move_to_end(name)
        if len(self._known) > _MOST_KNOWN:
            _, (_, at) = self._known.popitem(last=False)
            self._forgotten = max(self._forgotten, at)
