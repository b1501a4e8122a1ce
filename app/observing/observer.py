"""Sees a request, or an operation of a WebSocket, from its begin to its end, and tells of it."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from app.observing.correlation import Correlation
from app.observing.observation import Observation, observe, observed
from app.observing.requests import RequestLog, operation_fields
from app.observing.spans import Span, run
from app.observing.tracing import Tracing

_LEAST_FAILURE = 500


class Begun(NamedTuple):
    """A request that is being seen, and its first span where it is traced."""

    seen: Observation
    span: Span | None


class Observer:
    """Begins and ends what is seen of requests in one application."""

    def __init__(self, log: RequestLog, tracing: Tracing) -> None:
        self.log = log
        self._tracing = tracing

    def begin(self, correlation: Correlation, name: str, *, is_traced: bool = True) -> Begun:
        """See a request from now on, in this task, which is its own, and in those it starts."""
        seen = Observation(correlation.id, correlation.parent)
        seen.observer = self
        observe(seen)
        span = None
        if is_traced:
            span = self._tracing.root(correlation.id, name, correlation.parent)
        run(span)
        return Begun(seen, span)

    @contextmanager
    def operation(self, connection: Observation) -> Iterator[None]:
        """See one of a connection's operations, in a task of its own."""
        connection.operations += 1
        name = f"{connection.request_id}.{connection.operations}"
        begun = self.begin(Correlation(name), "operation")
        try:
            yield
        finally:
            self.log.tell("operation", operation_fields(begun.seen))
            end(begun, {})


async def operated(operate: Callable[[], Awaitable[None]]) -> None:
    """Do what an operation of a connection takes, in a task of its own, and tell of it."""
    connection = observed()
    work = operate()
    del operate  # an operation may last, and what it was asked with be large
    if connection is None or connection.observer is None:
        await work
        return
    with connection.observer.operation(connection):
        await work


def end(begun: Begun, attributes: dict[str, str | int]) -> None:
    """End the trace of a request; its status is an attribute where it has one."""
    seen, span = begun
    if span is None:
        return
    told: dict[str, str | int] = {"credit_gateway.request_id": seen.request_id, **attributes}
    operation = seen.operation
    if operation:
        span.name = f"{operation.kind} {operation.name}" if operation.name else operation.kind
        told["graphql.operation.type"] = operation.kind
        if operation.name:
            told["graphql.operation.name"] = operation.name
        if operation.cost:
            told["credit_gateway.cost"] = operation.cost
    if seen.codes:
        told["error.type"] = next(iter(seen.codes))
    if int(attributes.get("http.response.status_code", 0)) >= _LEAST_FAILURE:
        span.error = next(iter(seen.codes), "INTERNAL")
    span.attributes = told
    span.end()
