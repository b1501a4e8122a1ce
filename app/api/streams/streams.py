"""What the streams of one process share: their number, their pace, and who may have them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple

from app.metrics.metrics import Metrics
from app.model.clock import Clock
from app.model.viewer import Known, Viewer

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


# A customer's open pages in all its browsers, or a dashboard with a wall of them.
MOST_OF_ONE = 64
# Connections whose caller nobody knows yet must not keep the known ones out.
_SHARES_OF_UNKNOWN = 4


class Streams:
    """Counts the streams that are open, and knows how to look at their callers again.

    `ask` is as `Callers.known`. At `most` streams there is no room for more, at `most_of_one` none
    for more of one caller. Over WebSockets, so many operations are executed `at_once`.
    """

    # Half of the 1,024 descriptors that a process usually may have. One stream holds at most 64 kB
    # of unread answers and a message more, so that all of them fit into some 100 MB.
    def __init__(
        self,
        ask: Ask,
        clock: Clock,
        pace: Pace | None = None,
        metrics: Metrics | None = None,
        *,
        most: int = 512,
        most_of_one: int = MOST_OF_ONE,
        at_once: int = 256,
    ) -> None:
        self.ask = ask
        self.clock = clock
        self.pace = pace or Pace()
        self.metrics = metrics or Metrics()
        self.open = 0
        self.working = asyncio.Semaphore(at_once)
        self._most = most
        self._most_of_one = most_of_one
        self._of_callers: Counter[str | None] = Counter()

    def has_room_for(self, viewer: Viewer | None) -> bool:
        """Say whether one more can be opened; None is for whom nobody knows yet."""
        name = viewer.subject if viewer else None
        most = self._most_of_one if viewer else max(self._most // _SHARES_OF_UNKNOWN, 1)
        return self.open < self._most and self._of_callers[name] < most

    @contextmanager
    def one(self, viewer: Viewer | None, transport: str) -> Iterator[None]:
        """Count one more for as long as it is open."""
        with self.metrics.streams_open.labels(transport).track_inprogress(), self._one(viewer):
            yield

    @contextmanager
    def _one(self, viewer: Viewer | None) -> Iterator[None]:
        name = viewer.subject if viewer else None
        self.open += 1
        self._of_callers[name] += 1
        try:
            yield
        finally:
            self.open -= 1
            self._of_callers[name] -= 1
            if not self._of_callers[name]:
                del self._of_callers[name]
