"""Spans of a trace, from wherever work is done; without a trace they cost next to nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import Token
from types import TracebackType

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from app.observing.observation import observed

Attributes = Mapping[str, str | int]
_NOTHING = nullcontext(INVALID_SPAN)


def span(
    name: str, attributes: Attributes | None = None, kind: SpanKind = SpanKind.INTERNAL
) -> AbstractContextManager[Span]:
    """Return what traces a part of the work for the request that is being answered.

    Names and attributes tell of kinds of work and not of whom it is done for.
    """
    seen = observed()
    if seen is None or seen.tracer is None:
        return _NOTHING
    return _Running(seen.tracer, name, attributes, kind)


def note_status(status: int) -> None:
    """Note with which status a provider answered what is being traced."""
    seen = observed()
    if seen is not None and seen.tracer is not None:
        get_current_span().set_attribute("http.response.status_code", status)


class _Running:
    """A span that is the current one, and ends with what is done within it.

    An error is told by its code, or its class: its message and its frames are the log's to tell.
    """

    _span: Span
    _before: Token[Context]

    def __init__(
        self, tracer: Tracer, name: str, attributes: Attributes | None, kind: SpanKind
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._attributes = attributes
        self._kind = kind

    def __enter__(self) -> Span:
        self._span = self._tracer.start_span(
            self._name, kind=self._kind, attributes=self._attributes
        )
        self._before = attach(set_span_in_context(self._span))
        return self._span

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        detach(self._before)
        if error is not None:
            why = getattr(error, "code", type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR, str(why)))
        self._span.end()
