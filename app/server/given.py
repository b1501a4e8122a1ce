"""Answers as they were sent, under the requests that led to them."""

from collections.abc import Iterable
from functools import cached_property, partial
from typing import NamedTuple

from app.model.viewer import Viewer
from app.responses.budget import Budget, Room
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
        self.room: Room | None = None
        self.told = told

    @cached_property
    def head(self) -> bytes:
        """Its header fields as HTTP/1.1 has them."""
        return lines(self.headers)


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return header fields as HTTP/1.1 has them; they hold no line breaks."""
    return b"".join([b"%b: %b\r\n" % field for field in headers])


class Answers:
    """The answers that were given last, within a bound on the bytes they take.

    Each goes with what is kept of it, in the response cache.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._given: dict[Asked, Given] = {}

    def get(self, asked: Asked) -> Given | None:
        """Return the answer that was given to a request; it may not be true any more."""
        return self._given.get(asked)

    def used(self, given: Given) -> None:
        """Note that an answer was given again, so that it stays longer than others."""
        for room in (given.room, given.kept.room):
            if room is not None:
                self._budget.use(room)

    def put(self, asked: Asked, given: Given) -> None:
        """Keep an answer in place of the one that was given to the same request."""
        self.discard(asked)
        if given.kept.is_gone:
            return
        room = Room(_weight(asked, given), partial(self._leave, asked))
        if not self._budget.take(room):
            return
        self._given[asked], given.room = given, room
        given.kept.copies.add(room)
        if given.kept.is_gone:  # to make room for this
            self._budget.end(room)

    def discard(self, asked: Asked) -> None:
        """Forget what was given to a request."""
        given = self._given.get(asked)
        if given and given.room:
            self._budget.end(given.room)

    def _leave(self, asked: Asked) -> None:
        given = self._given.pop(asked)
        if given.room:
            given.kept.copies.discard(given.room)


def _weight(asked: Asked, given: Given) -> int:
    said = sum(map(len, asked.said)) + len(asked.query)
    # Header fields lie here twice. What is sent as it is kept takes no more than that.
    fields = 2 * sum(len(name) + len(value) for name, value in given.headers)
    own = 0 if given.body is given.kept.body else len(given.body)
    answer = fields + own + len(given.told)
    return said + len(asked.body) + answer + _OVERHEAD
