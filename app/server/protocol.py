"""
HTTP/1.1 as the server reads it, with limits on what comes before a request is known.

The server itself waits for ever for the end of a request's head, keeps as much of it as is sent,
and refuses what is no HTTP in plain text.
"""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.server import refusal
from app.server.counting import Counting
from app.server.prompt import PromptProtocol
from app.server.taking import Taking

# Heads are sent at once; a browser that opens a connection beforehand opens another one later.
_HEAD_TIMEOUT = timedelta(seconds=10)
# The longest URL that is taken is 16 kB, and most servers take as much of header fields. A longer
# head that comes whole in one read is taken.
_MOST_HEAD_BYTES = 32 << 10
# What a client sent before it could know is on its way for so long, from the farthest place.
_LINGER = timedelta(milliseconds=500)
# Who takes nothing for so long has vanished, as a listener who does not answer a ping.
_TAKES_WITHIN = timedelta(seconds=20)
# While the server stops: as long as whoever reads needs for the next part.
_TAKES_WITHIN_A_STOP = timedelta(seconds=2)


class PatientProtocol(PromptProtocol):
    """A connection that is closed where a client neither asks nor goes, nor takes its answer.

    An application is told by `scope["state"]["left"]` that it is lost; each has a state of its own.
    A head, or the rest of a body that was answered before its end, has ten seconds from its first
    byte; so has the first byte of a connection.
    """

    _owed: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _takes_within = _TAKES_WITHIN

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._left: asyncio.Future[None] = self.loop.create_future()
        self.app_state["left"] = self._left
        self._taking = Taking(self.loop, transport)
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._taking.stop()
        self._left.set_result(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._in_head, self._heads
        super().data_received(data)
        if before == (True, self._heads):  # all of it is of one head that has not ended
            self._wait()
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                message = "The header fields are too long."
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, message)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        self._stop_waiting()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._taking.watch(self._takes_within)
        if not self._in_head:
            self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking.watch(self._takes_within)

    def handle_websocket_upgrade(self) -> None:
        self._taking.stop()  # from now on it is the other one that is told of what happens
        super().handle_websocket_upgrade()
        upgraded = self.transport.get_protocol()
        if not isinstance(upgraded, WebSocketsSansIOProtocol):
            return
        if self.transport.is_closing():  # it has refused the handshake by itself
            self._count(upgraded.response.status_code)
        # What its parser does not take as a handshake is never answered by the server.
        elif upgraded.conn.handshake_exc:
            self._refuse(HTTPStatus.BAD_REQUEST, "This is no handshake of a WebSocket.")

    def shutdown(self) -> None:
        """Close once it is answered what is being asked, or has been sent already."""
        self._takes_within = _TAKES_WITHIN_A_STOP
        self._taking.watch(self._takes_within)
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(_LINGER.total_seconds(), self._end)
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the shape of every other refusal."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _wait(self) -> None:
        if self._owed is None:
            self._owed = self.loop.call_later(_HEAD_TIMEOUT.total_seconds(), self._give_up)

    def _stop_waiting(self) -> None:
        if self._owed is not None:
            self._owed.cancel()
            self._owed = None

    def _give_up(self) -> None:
        self._owed = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # an earlier request of the connection is still being answered
        elif self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")
        else:
            self.transport.close()

    def _end(self) -> None:
        now = self.transport.get_protocol()
        if isinstance(now, WebSocketsSansIOProtocol):
            now.shutdown()
        else:
            super().shutdown()

    def _count(self, status: int) -> None:
        """Count and log what no application hears of."""
        counting: Counting | None = self.app_state.get("counting")
        if counting is not None:
            counting.unread(status)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        if self.transport.is_closing():
            return
        self._count(status)
        body, headers = refusal.written(status, message)
        lines = [
            name + b": " + value + b"\r\n"
            for name, value in [
                *self.server_state.default_headers,
                *headers,
                (b"connection", b"close"),
            ]
        ]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", body]))
        self.transport.close()
