"""The way out of one stream: what is written is taken in time, or the connection is cut off."""

import asyncio
from datetime import timedelta
from typing import Protocol

import structlog
from starlette.types import Message, Scope, Send
from starlette.websockets import WebSocketDisconnect

from app.api.streams.streams import Streams

_log = structlog.get_logger("streams")


class Gone(Exception):
    """The client is not there any more, or was cut off; there is nobody to write to."""


class Connection(Protocol):
    """What the server tells of a connection and does to it, as `app.server.connections` has it."""

    stopping: asyncio.Event

    def abort(self) -> None:
        """Close it without writing what is left."""
        ...


class Outlet:
    """Writes messages one after the other.

    The server takes a message once what was written before it has left its buffer of 64 kB. A
    client that does not make room for the next one in time is dropped: nothing is kept for it.
    """

    def __init__(self, scope: Scope, send: Send, streams: Streams) -> None:
        self._connection: Connection | None = scope.get("state", {}).get("connection")
        self._send = send
        self._to_take = streams.pace.to_take.total_seconds()
        self._dropped = streams.metrics.streams_dropped
        self._turn = asyncio.Lock()
        self.wrote_at = asyncio.get_running_loop().time()

    async def write(self, message: Message, within: timedelta | None = None) -> None:
        """Write one message, in this time instead of the usual one; raises `Gone`."""
        seconds = within.total_seconds() if within else self._to_take
        async with self._turn:
            try:
                async with asyncio.timeout(seconds):
                    await self._send(message)
            except TimeoutError:
                _log.warning("slow listener dropped")
                self._dropped.add("not_reading")
                if self._connection is not None:
                    self._connection.abort()
                raise Gone from None
            # The server's ways to say that the connection is closed, or is being closed.
            except (WebSocketDisconnect, RuntimeError, OSError):
                raise Gone from None
            self.wrote_at = asyncio.get_running_loop().time()

    async def stopping(self) -> None:
        """Wait until the server is told to stop; for ever where it does not say."""
        stopping = self._connection.stopping if self._connection else asyncio.Event()
        await stopping.wait()
