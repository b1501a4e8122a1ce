"""Answers as they were sent, under the requests that led to them."""

from collections import OrderedDict
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from app.model.viewer import Viewer
from app.responses.kept import Kept

# What a request and its answer take beside their bytes.
_OVERHEAD = 1000


class Asked(NamedTuple):
    """A request to the byte, but for how its caller is known.

    `said` are the values of the header fields that an answer depends on, in an order of the
    caller's choice.
    """

    viewer: Viewer
    method: str
    query: bytes
    said: tuple[bytes, ...]
    body: bytes


class Given:
    """An answer as it was sent, but for the header fields that are of the moment.

    `told` is what the log says of it each time that it is given.
    """

    def __init__(
        self, kept: Kept, headers: list[tuple[bytes, bytes]], body: bytes, told: bytes
    ) -> None:
        length = (b"content-length", b"%d" % len(body))
        self.kept = kept
        self.headers = [*(field for field in headers if field[0] != length[0]), length]
        self.body = body
        self.told = told

    @cached_property
    def head(self) -> bytes:
        """Its header fields as HTTP/1.1 has them."""
        return lines(self.headers)


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return header fields as HTTP/1.1 has them; they hold no line breaks."""
    return b"".join([b"%b: %b\r\n" % field for field in headers])


class Answers:
    """The answers that were given last, bounded by the bytes they take."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._given: OrderedDict[Asked, Given] = OrderedDict()
        self._bytes = 0

    def get(self, asked: Asked) -> Given | None:
        """Return the answer that was given to a request; it may not be true any more."""
        return self._given.get(asked)

    def used(self, asked: Asked) -> None:
        """Note that an answer was given again, so that it stays longer than others."""
        self._given.move_to_end(asked)

    def put(self, asked: Asked, given: Given) -> None:
        """Keep an answer in place of the one that was given to the same request."""
        self.discard(asked)
        weight = _weight(asked, given)
        if weight > self._most_bytes:
            return
        self._given[asked] = given
        self._bytes += weight
        while self._bytes > self._most_bytes:
            self.discard(next(iter(self._given)))

    def discard(self, asked: Asked) -> None:
        """Forget what was given to a request."""
        given = self._given.pop(asked, None)
        if given:
            self._bytes -= _weight(asked, given)


def _weight(asked: Asked, given: Given) -> int:
    said = sum(map(len, asked.said)) + len(asked.query)
    # Header fields lie here twice. What is kept stays in memory for as long as it lies here.
    fields = 2 * sum(len(name) + len(value) for name, value in given.headers)
    answer = fields + len(given.body) + len(given.told) + given.kept.weight
    return said + len(asked.body) + answer + _OVERHEAD
