"""
HTTP/1.1 as the server reads it, with limits on what comes before a request is known.

The server itself waits for ever for the end of a request's head, keeps as much of it as is sent,
and refuses what is no HTTP in plain text.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app.server import refusal
from app.server.counting import Counting
from app.server.hits import Hits
from app.server.limits import ONE_MORE, ONE_MORE_HEADERS, Overload
from app.server.readiness import Readiness
from app.server.said import Said, read
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


# Stands for a request of which nothing is read, as it was answered by its head alone.
_ANSWERED: Any = SimpleNamespace(response_complete=True, message_event=asyncio.Event())


_OK_STATUS = STATUS_LINE[HTTPStatus.OK]
_ONE_MORE_STATUS = STATUS_LINE[HTTPStatus.SERVICE_UNAVAILABLE]
_ONE_MORE_REST = b"".join(
    [*(name + b": " + value + b"\r\n" for name, value in ONE_MORE_HEADERS), b"\r\n", ONE_MORE]
)


def _is_draining(state: Mapping[str, Any]) -> bool:
    readiness: Readiness | None = state.get("readiness")
    return readiness is not None and readiness.is_draining


class PatientProtocol(HttpToolsProtocol):
    """A connection that is closed where a client neither asks nor goes, nor takes its answer.

    An application is told by `scope["state"]["left"]` that it is lost; each has a state of its own.
    A head, or the rest of a body that was answered before its end, has ten seconds from its first
    byte; so has the first byte of a connection.
    """

    _owed: asyncio.TimerHandle | None = None
    _in_head = True
    _head_bytes = 0
    _heads = 0
    _takes_within = _TAKES_WITHIN
    _begun = 0  # with those whose head has not ended
    # What has come of the body of a request that may be answered without the application.
    _waiting: bytearray | None = None
    # What was said by a request that was answered again, and with its bytes where nothing else has
    # come since: who asks the same again and again, as a dashboard does, is not read each time.
    _said: Said | None = None
    _last: tuple[bytes, Said] | None = None
    # The server's header fields of this second, and how they are sent.
    _lines: tuple[object, bytes] = (None, b"")

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
        if self._last is not None and self._last[0] == data and self._is_free():
            self._stop_waiting()
            if self._answer_again(self._last[1]):
                return
        self._last = self._said = None
        before, was_between = (self._in_head, self._heads), self._is_between
        super().data_received(data)
        is_one = was_between and self._is_between and self._heads == before[1] + 1
        if is_one and self._said is not None:
            self._last = data, self._said
        if self._waiting is not None and not self.transport.is_closing():
            self._let_in()  # the rest of it comes later
        if before == (True, self._heads):  # all of it is of one head that has not ended
            self._wait()
            self._head_bytes += len(data)
            if self._head_bytes > _MOST_HEAD_BYTES:
                message = "The header fields are too long."
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, message)

    def on_message_begin(self) -> None:
        self._begun += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        self._heads += 1
        self._stop_waiting()
        hits: Hits | None = self.app_state.get("hits")
        if hits is not None and hits.may_hold(self.url) and self._is_usual():
            self._waiting = bytearray()
        else:
            self._let_in()

    def on_body(self, body: bytes) -> None:
        if self._waiting is not None:
            self._waiting += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_head = True
        self._stop_waiting()
        if self._waiting is not None:
            self._find(bytes(self._waiting))
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

    def _is_usual(self) -> bool:
        """Say whether a request is of the usual kind, and none before it waits for its answer."""
        usual = (
            self.parser.get_method() in {b"GET", b"POST"}
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.expect_100_continue
        )
        return usual and self._is_free()

    @property
    def _is_between(self) -> bool:
        """Whether all that came belongs to requests that have come whole."""
        return self._in_head and self._begun == self._heads

    def _is_free(self) -> bool:
        """Say whether nothing that came before waits for its answer, and more may come."""
        is_idle = self.cycle is None or (self.cycle.response_complete and not self.pipeline)
        return is_idle and not self.flow.write_paused and not _is_draining(self.app_state)

    def _find(self, body: bytes) -> None:
        """Answer what was answered before; all else is let in."""
        method = self.parser.get_method().decode("ascii")
        said = read(method, self.url.partition(b"?")[2], self.headers, body)
        answered = said is not None and self._answer_again(said)
        if answered:
            self._waiting, self._said = None, said
        else:
            self._let_in(beyond_limit=answered is None)

    def _answer_again(self, said: Said) -> bool | None:
        """Answer what was answered before; None is what the ring may answer."""
        hits: Hits = self.app_state["hits"]
        parts = hits.at_once(said)
        if parts:
            self._answer([_OK_STATUS, self._lines_of_now(), *parts])
            return True
        return None if parts is not None else False

    def _let_in(self, *, beyond_limit: bool = False) -> None:
        """Give a request to the application, unless it is one too many."""
        came, self._waiting = self._waiting, None
        overload: Overload | None = None if beyond_limit else self.app_state.get("overload")
        if overload is not None and overload.takes(self.url) and self._is_usual():
            method = self.parser.get_method()
            overload.refused(self.url.decode("ascii", "replace"), method.decode("ascii"))
            # Its body is nobody's.
            self._answer([_ONE_MORE_STATUS, self._lines_of_now(), _ONE_MORE_REST])
            return
        super().on_headers_complete()
        if came:
            super().on_body(bytes(came))

    def _lines_of_now(self) -> bytes:
        """Return the server's own header fields; the date among them is of this second."""
        fields = self.server_state.default_headers
        if self._lines[0] is not fields:  # the server makes new ones each second
            self._lines = fields, b"".join([b"%b: %b\r\n" % field for field in fields])
        return self._lines[1]

    def _answer(self, parts: list[bytes]) -> None:
        """Answer what was asked without a word to the application."""
        self.cycle = _ANSWERED
        self.transport.write(b"".join(parts))
        self.on_response_complete()

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
