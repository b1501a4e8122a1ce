"""By what a request is found again: its own id, and the trace of its caller that it belongs to."""

import re
from collections.abc import Iterable
from random import getrandbits
from typing import NamedTuple

REQUEST_ID = b"x-request-id"
_PARENT, _STATE = b"traceparent", b"tracestate"
_NAMES = frozenset({REQUEST_ID, _PARENT, _STATE})
# UUIDs, ULIDs, what proxies make; nothing that would have to be escaped anywhere.
_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# Later versions may say more behind; `ff` is none (W3C Trace Context, 3.2).
_W3C = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    rb"-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-[\x21-\x7e]{0,200})?"
)
_FIRST_VERSION = b"00"
_IS_SAMPLED = 1
# As much as everybody has to pass on (3.3.1.5), of what a header field may hold.
_STATE_SHAPE = re.compile(rb"[\x20-\x7e]{1,512}")


class Parent(NamedTuple):
    """The caller's span: what `traceparent` and `tracestate` say, the ids in hexadecimal."""

    trace_id: str
    span_id: str
    is_sampled: bool
    state: str = ""


class Correlation(NamedTuple):
    """The id of a request, and its caller's span where there is one."""

    id: str
    parent: Parent | None = None


def correlation(headers: Iterable[tuple[bytes, bytes]]) -> Correlation:
    """Return what a request says of itself, where that is well-formed; else its id is made.

    A caller who sends a trace and no id is given the trace's.
    """
    return sent(headers) or Correlation(made_id())


def sent(headers: Iterable[tuple[bytes, bytes]]) -> Correlation | None:
    """Return what a request says of itself, as `correlation` does; None where that is no id."""
    said: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in _NAMES:
            said.setdefault(name, []).append(value)
    if not said:
        return None
    parent = _parent(said.get(_PARENT, []), said.get(_STATE, []))
    ids = said.get(REQUEST_ID, [])
    if len(ids) == 1 and _WELL_FORMED.fullmatch(ids[0]):
        return Correlation(ids[0].decode("ascii"), parent)
    return Correlation(parent.trace_id, parent) if parent else None


def made_id() -> str:
    """Return an id that nobody had before, of the shape of a trace's; it is no secret."""
    return f"{getrandbits(128):032x}"


def _parent(said: list[bytes], state: list[bytes]) -> Parent | None:
    found = _W3C.fullmatch(said[0]) if len(said) == 1 else None  # two say nothing
    if found is None or (found["version"] == _FIRST_VERSION and found["more"]):
        return None
    states = b",".join(state)
    return Parent(
        found["trace"].decode(),
        found["span"].decode(),
        bool(int(found["flags"], 16) & _IS_SAMPLED),
        states.decode() if _STATE_SHAPE.fullmatch(states) else "",
    )
