"""What the streams of one process share: their number, their pace, and who may have them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

from app.model.clock import Clock
from app.model.viewer import Known

Ask = Callable[[Sequence[str]], Awaitable[Known]]


class Pace(NamedTuple):
    """How long a stream waits for what."""

    # A client says who it is as soon as it is connected; a key server may take three seconds more.
    to_begin: timedelta = timedelta(seconds=5)
    # A page of 100 rows has some 50 kB: whoever takes less than that in ten seconds cannot follow.
    to_take: timedelta = timedelta(seconds=10)
    # A key that is revoked ends its streams within this, for one look into the directory each.
    between_checks: timedelta = timedelta(seconds=12)
    # Proxies close what is silent for a minute, some of them for 15 seconds.
    of_silence: timedelta = timedelta(seconds=12)


class Streams:
    """Counts the streams that are open, and knows how to look at their callers again.

    `ask` is as `Callers.known`. At `most` streams there is no room for more.
    """

    # Half of the 1,024 descriptors that a process usually may have. One stream holds at most 64 kB
    # of unread answers and a message more, so that all of them fit into some 100 MB.
    def __init__(self, ask: Ask, clock: Clock, pace: Pace | None = None, most: int = 512) -> None:
        self.ask = ask
        self.clock = clock
        self.pace = pace or Pace()
        self.open = 0
        self._most = most

    @property
    def has_room(self) -> bool:
        return self.open < self._most

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one more for as long as it is open."""
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1
