"""What a request says, as far as an answer that was given before depends on it."""

from collections.abc import Iterable
from typing import NamedTuple

from app.api.http import requested_age
from app.observing.correlation import Correlation, made_id, sent

# What else a request says does not change its answer.
_SAYING = (b"host", b"origin", b"accept", b"accept-encoding", b"content-type", b"content-length")
_CALLER = b"authorization"
# For the rings further in: a condition, a body that is waited for or comes in parts.
_NOT_HERE = frozenset({b"if-none-match", b"if-match", b"expect", b"transfer-encoding"})
_SPECIAL = frozenset({*_SAYING, *_NOT_HERE, _CALLER, b"cache-control"})
# Longer than nearly any request, and less than what one that comes in a single read may have.
_MOST_DIGITS_OF_LENGTH = 4
# Where in a scope it lies, if the connection has read it.
SAID = "credit_gateway.said"
METHODS = frozenset({"GET", "POST"})


class Said(NamedTuple):
    """What is the same for the same bytes; who calls, and whether it may, is not in it.

    `fields` are the values of the header fields that an answer depends on, in an order of its own.
    """

    method: str
    query: bytes
    fields: tuple[bytes, ...]
    body: bytes
    authorization: str
    sent: Correlation | None

    @property
    def request_id(self) -> str:
        """The id that was sent with it, or a new one each time."""
        return self.sent.id if self.sent else made_id()


def read(
    method: str, query: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> Said | None:
    """Return what a request says; None is one that has to go the whole way."""
    if method not in METHODS:
        return None
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _SPECIAL:
            if name in values or name in _NOT_HERE:
                return None
            values[name] = value
    if len(values.get(b"content-length", b"")) > _MOST_DIGITS_OF_LENGTH:
        return None
    caching = values.get(b"cache-control")
    if caching is not None and requested_age(caching.decode("latin-1")) is not None:
        return None
    fields = tuple([values.get(name, b"") for name in _SAYING])
    authorization = values.get(_CALLER, b"").decode("latin-1")
    return Said(method, query, fields, body, authorization, sent(headers))
