"""
Spans of traces, from wherever work is done; without a trace they cost next to nothing.

They are OpenTelemetry's, and our own: its SDK takes 40 µs and more for a span until that is sent,
four of which were a third of a query. These take some 8.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from enum import IntEnum
from random import getrandbits
from time import time_ns
from types import TracebackType
from typing import NamedTuple

from app.observing.correlation import Parent
from app.observing.observation import observed

Attributes = Mapping[str, str | int]
_NOTHING = nullcontext()


class Kind(IntEnum):
    """What a span is, as OTLP has it."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class Trace(NamedTuple):
    """A trace that is recorded: `take` is given each of its spans when that ends."""

    id: str
    state: str
    take: Callable[["Span"], None]


class Span:
    """A part of the work. It is the current one within itself, whichever task that is in.

    An error is told by its code, or its class: its message and its frames are the log's to tell.
    """

    __slots__ = (
        *("_before", "attributes", "began_ns", "ended_ns", "error"),
        *("id", "kind", "name", "parent_id", "trace"),
    )

    _before: Token["Span | None"]

    def __init__(
        self, trace: Trace, name: str, kind: Kind, attributes: Attributes, parent_id: str
    ) -> None:
        self.trace = trace
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.parent_id = parent_id
        self.id = f"{getrandbits(64) or 1:016x}"
        self.began_ns = time_ns()
        self.ended_ns = 0
        self.error = ""

    def __enter__(self) -> None:
        self._before = _running.set(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _running.reset(self._before)
        if error is not None:
            self.error = getattr(error, "code", "") or type(error).__name__
        self.end()

    def end(self) -> None:
        """Have it sent; nothing is noted in it any more."""
        self.ended_ns = time_ns()
        self.trace.take(self)


_running: ContextVar[Span | None] = ContextVar("span", default=None)


def span(
    name: str, attributes: Attributes | None = None, kind: Kind = Kind.INTERNAL
) -> AbstractContextManager[None]:
    """Return what traces a part of the work for the request that is being answered.

    Names and attributes tell of kinds of work and not of whom it is done for.
    """
    outer = _running.get()
    if outer is None:
        return _NOTHING
    return Span(outer.trace, name, kind, attributes or {}, outer.id)


def run(root: Span | None) -> None:
    """Have what is done from now on in this task be within a span, or not be traced."""
    if _running.get() is not root:  # mostly there is none, before and from now on
        _running.set(root)


def note_status(status: int) -> None:
    """Note with which status a provider answered what is being traced."""
    if running := _running.get():
        running.attributes = {**running.attributes, "http.response.status_code": status}


def propagated() -> dict[str, str]:
    """Return the header fields by which a callee is told to which trace a call belongs.

    A trace that is not recorded here is passed on as it came.
    """
    running, seen = _running.get(), observed()
    if running is not None:
        trace = running.trace
        return _fields(Parent(trace.id, running.id, is_sampled=True, state=trace.state))
    return _fields(seen.parent) if seen and seen.parent else {}


def _fields(parent: Parent) -> dict[str, str]:
    flags = "01" if parent.is_sampled else "00"
    said = {"traceparent": f"00-{parent.trace_id}-{parent.span_id}-{flags}"}
    return {**said, "tracestate": parent.state} if parent.state else said
