"""
What is seen of one request while it is answered, from wherever in the gateway that is.

Whoever learns something of it notes it here; where no request is observed, nothing happens. What
is noted has few values or is bounded: no document, no variable, no cursor, no header comes here.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from app.observing.correlation import Parent

if TYPE_CHECKING:
    from app.observing.observer import Observer

# Longer ones are cut: a caller chooses them.
_MOST_CHARACTERS = 100
# A document may have a thousand errors, and a hundred kinds of them are not among them.
_MOST_KINDS = 50


class Operation(NamedTuple):
    """An operation of GraphQL: its type, its name as its document has it, and its cost."""

    kind: str
    name: str | None
    cost: int | None


class Observation:
    """What is seen of one request, or of one operation of a WebSocket. Times are in seconds.

    `parent` is its caller's span, and `observer` is who tells of it. Of a connection, `operations`
    counts what was asked.
    """

    observer: "Observer | None" = None

    def __init__(self, request_id: str, parent: Parent | None = None) -> None:
        self.request_id = request_id
        self.parent = parent
        self.operations = 0
        self.began = perf_counter()
        self.subject: str | None = None
        self.operation: Operation | None = None
        self.sources: defaultdict[tuple[str, str], int] = defaultdict(int)
        self.codes: defaultdict[str, int] = defaultdict(int)
        self.events = 0
        self.spent: dict[str, float] = {}
        self._upstream_calls = 0
        self._upstream_since = 0.0

    @property
    def seconds(self) -> float:
        return perf_counter() - self.began

    def spend(self, part: str, seconds: float) -> None:
        """Note that a part of the work took so long."""
        self.spent[part] = self.spent.get(part, 0.0) + seconds

    def upstream_seconds(self) -> float:
        """Return for how long any provider was waited for on its behalf; calls side by side once.

        A call that another request had begun already is not among them.
        """
        running = perf_counter() - self._upstream_since if self._upstream_calls else 0.0
        return self.spent.get("upstream", 0.0) + running

    def upstream_begins(self) -> None:
        if not self._upstream_calls:
            self._upstream_since = perf_counter()
        self._upstream_calls += 1

    def upstream_ends(self) -> None:
        self._upstream_calls -= 1
        if not self._upstream_calls:
            self.spend("upstream", perf_counter() - self._upstream_since)


_current: ContextVar[Observation | None] = ContextVar("observation", default=None)


def observed() -> Observation | None:
    """Return what is seen of the request that is being answered; None where there is none.

    Work that a request began and shares with others is seen as its own.
    """
    return _current.get()


def observe(seen: Observation) -> None:
    """Note what is learned from now on in this task, and in those that it starts, in `seen`."""
    _current.set(seen)


def note_viewer(subject: str) -> None:
    """Note who is calling."""
    if seen := _current.get():
        seen.subject = clipped(subject)


def note_operation(kind: str, name: str | None, cost: int | None) -> None:
    """Note what is asked; the name has to be one that is in the document."""
    if seen := _current.get():
        seen.operation = Operation(kind, clipped(name) if name else None, cost)


def note_error(code: str) -> None:
    """Note an error that is answered, by its code."""
    seen = _current.get()
    if seen and (code in seen.codes or len(seen.codes) < _MOST_KINDS):
        seen.codes[code] += 1


def note_source(provider: str, state: str) -> None:
    """Note the state of one account's part in the answer."""
    if seen := _current.get():
        seen.sources[provider, str(state)] += 1  # of an enumeration no more than its text


def note_event() -> None:
    """Note one more answer of a subscription."""
    if seen := _current.get():
        seen.events += 1


@contextmanager
def timed(part: str) -> Iterator[None]:
    """Note how long a part of the work takes."""
    seen = _current.get()
    began = perf_counter()
    try:
        yield
    finally:
        if seen:
            seen.spend(part, perf_counter() - began)


@contextmanager
def asking_upstream() -> Iterator[None]:
    """Note for how long a provider is waited for."""
    seen = _current.get()
    if seen is None:
        yield
        return
    seen.upstream_begins()
    try:
        yield
    finally:
        seen.upstream_ends()


def clipped(text: str) -> str:
    """Return as much of a text as a line of the log may have of it."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"
