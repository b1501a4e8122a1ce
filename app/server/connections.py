"""
Connections as uvicorn keeps them, of which a stream can be told that the server stops, and cut off.

uvicorn closes a connection after what is left was written: for a client that does not read, never.
"""

import asyncio
from datetime import timedelta
from typing import Any

from uvicorn import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame

from app.server.protocol import PatientProtocol

# As the largest body of a request over HTTP.
_MOST_MESSAGE_BYTES = 1 << 20
# A client that has vanished is noticed within the sum; proxies close what is silent for a minute.
_PING_EVERY = timedelta(seconds=20)
_PONG_WITHIN = timedelta(seconds=20)
# A frame takes some 5 µs and a message 70 µs to read, while which nobody else is served; a listener
# sends one now and then, and 1 MB in frames of 4 kB is 256.
_MOST_FRAMES_A_SECOND = 1000
# So much is read before the frames in it are counted.
_PIECE_BYTES = 4 << 10
# After the application is done uvicorn waits ten seconds for the client to close.
_CLOSED_WITHIN = timedelta(seconds=12)
# One exchange of a stop: the client is told, and whoever reads has read it.
_STOPPED_WITHIN = timedelta(seconds=2)


def serving(request_timeout: timedelta) -> dict[str, Any]:
    """Return the settings of uvicorn that are about connections."""
    return {
        "http": HttpConnection,
        "ws": WebSocketConnection,
        "ws_max_size": _MOST_MESSAGE_BYTES,
        "ws_ping_interval": _PING_EVERY.total_seconds(),
        "ws_ping_timeout": _PONG_WITHIN.total_seconds(),
        # Each connection would hold windows for it, and the length of what is encrypted would tell
        # whether what one caller sends is in what another one wrote.
        "ws_per_message_deflate": False,
        # The frames it logs hold tokens; what is a warning to it does not.
        "log_level": "warning",
        # Nothing here asks from where a request came, or by which scheme.
        "proxy_headers": False,
        # Whatever still runs then has had its time; a client that does not read has no say in it.
        "timeout_graceful_shutdown": int((request_timeout + _STOPPED_WITHIN).total_seconds()) + 1,
    }


class Connection:
    """What an application may know of a connection, and do to it: `scope["state"]["connection"]`.

    `stopping` is set once the server is told to stop; all connections have the same.
    """

    def __init__(self, stopping: asyncio.Event) -> None:
        self.stopping = stopping
        self.transport: asyncio.Transport | None = None

    def abort(self) -> None:
        """Close it without writing what is left."""
        if self.transport is not None:
            self.transport.abort()


class HttpConnection(PatientProtocol):
    """A connection over HTTP."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._connection = _connection(app_state)
        state = {**app_state, "connection": self._connection}
        super().__init__(config, server_state, state, _loop)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._connection.transport = transport
        super().connection_made(transport)

    def shutdown(self) -> None:
        self._connection.stopping.set()
        super().shutdown()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """A connection that is a WebSocket; it was one over HTTP until now."""

    _end: asyncio.TimerHandle | None = None
    _lost = False
    _frames = 0.0
    _counted_at = 0.0

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PIECE_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + _PIECE_BYTES])

    def handle_text(self, event: Frame) -> None:
        if not self._is_too_many():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        if not self._is_too_many():
            super().handle_bytes(event)

    def handle_cont(self, event: Frame) -> None:
        if not self._is_too_many():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        if not self._is_too_many():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if not self._is_too_many():
            super().handle_pong(event)

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; text that is none is the client's mistake, and not worth a trace."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def _is_too_many(self) -> bool:
        """Count a frame, and cut off who sends more of them than anybody needs."""
        now = self.loop.time()
        gone_by = (now - self._counted_at) * _MOST_FRAMES_A_SECOND
        self._frames, self._counted_at = max(self._frames - gone_by, 0) + 1, now
        if self._frames > _MOST_FRAMES_A_SECOND:
            self.transport.abort()
        return self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        super().shutdown()
        self._abort_within(_STOPPED_WITHIN)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._abort_within(_STOPPED_WITHIN)

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self._abort_within(_CLOSED_WITHIN)

    def _abort_within(self, limit: timedelta) -> None:
        """Leave the client so much time to take what is left, or what remains of less than that."""
        if self._lost:
            return
        at = self.loop.time() + limit.total_seconds()
        if self._end is not None:
            at = min(at, self._end.when())
            self._end.cancel()
        self._end = self.loop.call_at(at, self.transport.abort)


def _connection(app_state: dict[str, Any]) -> Connection:
    """Return a new connection's; the state that all of them share keeps what is common to them."""
    return Connection(app_state.setdefault("stopping", asyncio.Event()))
