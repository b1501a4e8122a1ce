"""
A server that stops in steps, so that no request is lost.

1. Not ready: `/readyz` says so and each answer closes its connection, but whoever still comes is
   served, until load balancers have noticed.
2. Not listening: what has come is answered, streams are ended.
3. Closed: the application's lifespan ends.

A second signal ends the process at once, by that signal: a shell sees status 130 or 143.
"""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing import parent_process
from types import FrameType
from typing import Any

import uvicorn

from app.server.readiness import Readiness

# By SIGINT a person ends what they have started, and waits.
_INTERRUPTED = timedelta(0)
# A group of workers hears of a signal from the terminal, or from what supervises services, up to
# half a second before its supervisor has, which must not listen longer: nobody would answer.
_LEAST_AS_WORKER = timedelta(seconds=1)


class Server(uvicorn.Server):
    """Serves until a signal comes; it is `unready_for` so long from then on before it stops.

    `before_ending` is done when a second signal ends the process at once.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        unready_for: timedelta,
        before_ending: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(config)
        self._unready_for = unready_for
        self._before_ending = before_ending
        self._is_worker = parent_process() is not None
        self._signal: int | None = None
        self._stop_at = float("inf")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop, or end at once where that was begun before.

        A worker is told by its group and by its supervisor, which is one wish; the supervisor kills
        it when there is a second one.
        """
        if self._signal is None:
            self._begin(sig, frame)
        elif not self._is_worker:
            self._before_ending()
            end_by(sig)

    async def on_tick(self, counter: int) -> bool:
        """Say, ten times a second, whether to stop listening."""
        if self._signal is not None and time.monotonic() >= self._stop_at:
            super().handle_exit(self._signal, None)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer all who had come by then, and end the lifespan."""
        come = [connection for one in sockets or [] for connection in _accepted(one)]
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        loop = asyncio.get_running_loop()
        for connection in come:
            await loop.connect_accepted_socket(self._protocol, connection)
        if readiness := self._readiness():
            readiness.close()
        await super().shutdown(sockets)

    def _begin(self, sig: int, frame: FrameType | None) -> None:
        self._signal = sig
        if not self.started:  # nobody was served yet
            super().handle_exit(sig, frame)
            return
        if readiness := self._readiness():
            readiness.drain()
        self._stop_at = time.monotonic() + self._patience(sig).total_seconds()

    def _readiness(self) -> Readiness | None:
        """Return the application's, which it gives by the state of its lifespan."""
        found = self.lifespan.state.get("readiness")
        return found if isinstance(found, Readiness) else None

    def _patience(self, sig: int) -> timedelta:
        patience = _INTERRUPTED if sig == signal.SIGINT else self._unready_for
        return max(patience, _LEAST_AS_WORKER) if self._is_worker else patience

    def _protocol(self) -> asyncio.Protocol:
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def end_by(sig: int) -> None:
    """End this process at once, as a signal does to which nobody listens."""
    signal.signal(sig, signal.SIG_DFL)
    os.kill(os.getpid(), sig)


def _accepted(listener: socket.socket) -> list[socket.socket]:
    """Return the connections that wait; to close the listener over them would reset them."""
    found: list[socket.socket] = []
    listener.setblocking(False)  # noqa: FBT003 - as the method is
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # none waits, or there are no more descriptors
            return found
        connection.setblocking(False)  # noqa: FBT003 - as above
        found.append(connection)
