"""Sees a request, or an operation of a WebSocket, from its begin to its end, and tells of it."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.context import Context, attach
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from app.observing.correlation import Correlation
from app.observing.observation import Observation, observe, observed
from app.observing.requests import RequestLog, operation_fields
from app.observing.tracing import Tracing

_LEAST_FAILURE = 500


class Observer:
    """Begins and ends what is seen of requests in one application."""

    def __init__(self, log: RequestLog, tracing: Tracing) -> None:
        self.log = log
        self._tracing = tracing

    def begin(self, correlation: Correlation, name: str, *, is_traced: bool = True) -> Observation:
        """See a request from now on, in this task, which is its own, and in those it starts."""
        seen = Observation(correlation.id)
        observe(seen)
        _observer.set(self)
        tracer = self._tracing.tracer
        if tracer is not None and is_traced:
            seen.span = tracer.start_span(name, correlation.parent, SpanKind.SERVER)
            # What is not traced may still tell its callees that it is not.
            attach(set_span_in_context(seen.span, correlation.parent or Context()))
            seen.tracer = tracer if seen.span.is_recording() else None
        elif correlation.parent is not None:
            attach(correlation.parent)
        return seen

    def end(self, seen: Observation, name: str, attributes: dict[str, str | int]) -> None:
        """End the trace of a request; its status is an attribute where it has one."""
        if seen.span.is_recording():
            _end_span(seen, seen.span, name, attributes)

    @contextmanager
    def operation(self, connection: Observation) -> Iterator[None]:
        """See one of a connection's operations, in a task of its own."""
        connection.operations += 1
        name = f"{connection.request_id}.{connection.operations}"
        seen = self.begin(Correlation(name, None), "operation")
        try:
            yield
        finally:
            self.log.tell("operation", operation_fields(seen))
            self.end(seen, "operation", {})


_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


async def operated(work: Awaitable[None]) -> None:
    """Do what an operation of a connection takes, in a task of its own, and tell of it."""
    observer, connection = _observer.get(), observed()
    if observer is None or connection is None:
        await work
        return
    with observer.operation(connection):
        await work


def _end_span(seen: Observation, span: Span, name: str, attributes: dict[str, str | int]) -> None:
    told: dict[str, str | int] = {"credit_gateway.request_id": seen.request_id, **attributes}
    operation = seen.operation
    if operation:
        name = f"{operation.kind} {operation.name}" if operation.name else operation.kind
        told["graphql.operation.type"] = operation.kind
        if operation.name:
            told["graphql.operation.name"] = operation.name
        if operation.cost:
            told["credit_gateway.cost"] = operation.cost
    if seen.codes:
        told["error.type"] = next(iter(seen.codes))
    span.update_name(name)
    span.set_attributes(told)
    if int(attributes.get("http.response.status_code", 0)) >= _LEAST_FAILURE:
        span.set_status(Status(StatusCode.ERROR))
    span.end()
