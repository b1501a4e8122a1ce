"""
Connections that are closed by who pours heads into them.

Before an answer a server may send as many others as it likes (100 to 199, RFC 9110 15.2), and at
any time answers that nobody asked for. aiohttp keeps all that arrive until their reader has its
turn: half a gigabyte within a third of a second.
"""

import asyncio
from functools import partial

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader

# One `100 Continue` and one or two hints are usual.
MOST_HEADS = 16
# The heads of so much are parsed before they are counted: 240 of the shortest.
_PIECE_BYTES = 4 << 10


class Connection(ResponseHandler):
    """Takes so many heads and then an answer; more are no answer, and it is closed."""

    _heads = 0
    _is_flooded = False
    _is_answered = True

    def set_response_params(self, **params: object) -> None:
        self._heads, self._is_answered = 0, False
        super().set_response_params(**params)  # type: ignore[arg-type]

    def data_received(self, data: bytes) -> None:
        while not self._is_answered and len(data) > _PIECE_BYTES and not self._is_flooded:
            super().data_received(data[:_PIECE_BYTES])
            data = data[_PIECE_BYTES:]
        if not self._is_flooded:
            super().data_received(data)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Keep a head for its reader."""
        if self._is_flooded:
            return
        self._heads += 1
        is_answer = not 100 <= data[0].code < 200  # noqa: PLR2004 - as the module says
        self._is_answered = self._is_answered or is_answer
        if self._heads <= MOST_HEADS + is_answer:
            super().feed_data(data, size)
            return
        self._is_flooded = True
        self.set_exception(HttpProcessingError(code=data[0].code, message="Too many heads."))
        if self.transport is not None:
            self.transport.abort()


def connector(most_connections: int) -> aiohttp.TCPConnector:
    """Return what opens so many connections at once; within an event loop."""
    made = aiohttp.TCPConnector(limit=most_connections)
    # There is no public way to say what a connection is made of.
    kind: type[ResponseHandler] = Connection
    made._factory = partial(kind, loop=asyncio.get_running_loop())  # noqa: SLF001
    return made
