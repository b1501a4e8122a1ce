"""By what a request is found again: its own id, and the trace of its caller that it belongs to."""

import logging
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

REQUEST_ID = b"x-request-id"
_PARENT, _STATE = b"traceparent", b"tracestate"
_NAMES = frozenset({REQUEST_ID, _PARENT, _STATE})
# UUIDs, ULIDs, what proxies make; nothing that would have to be escaped anywhere.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_W3C = TraceContextTextMapPropagator()
# They quote what they cannot read, and anybody may send that.
for _name in ("opentelemetry.trace.span", "opentelemetry.trace.propagation.tracecontext"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Correlation(NamedTuple):
    """The id of a request, and the caller's trace as OpenTelemetry's context has it, if any."""

    id: str
    parent: Context | None


def correlation(headers: Iterable[tuple[bytes, bytes]]) -> Correlation:
    """Return what a request says of itself, where that is well-formed; else its id is made.

    A caller who sends a trace and no id is given the trace's.
    """
    sent: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in _NAMES:
            sent.setdefault(name, []).append(value)
    if not sent:
        return Correlation(made_id(), None)
    parent = _parent(sent)
    ids = sent.get(REQUEST_ID, ())
    if len(ids) == 1 and _WELL_FORMED.fullmatch(ids[0]):
        return Correlation(ids[0].decode("ascii"), parent)
    if parent is None:
        return Correlation(made_id(), None)
    of_trace = trace.get_current_span(parent).get_span_context().trace_id
    return Correlation(trace.format_trace_id(of_trace), parent)


def made_id() -> str:
    """Return an id that nobody had before."""
    return os.urandom(16).hex()


def propagated() -> dict[str, str]:
    """Return the header fields by which an upstream call says to which trace it belongs."""
    fields: dict[str, str] = {}
    _W3C.inject(fields)
    return fields


def _parent(sent: dict[bytes, list[bytes]]) -> Context | None:
    if len(sent.get(_PARENT, ())) != 1:  # two say nothing
        return None
    carrier = {
        name.decode("ascii"): [value.decode("latin-1") for value in values]
        for name, values in sent.items()
    }
    found = _W3C.extract(carrier, Context())
    return found or None
