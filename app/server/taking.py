"""Whether a client takes what was written: a slow one does, and one that is gone does not."""

import asyncio
import fcntl
import struct
import termios
from datetime import timedelta

_INT = struct.Struct("i")


# So many times in what a client is given it is looked whether it has taken something.
_LOOKS = 10


class Taking:
    """Cuts a connection off once its client takes nothing for as long as it was given."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._next: asyncio.TimerHandle | None = None
        self._left_bytes = 0
        self._taken_at = 0.0

    def watch(self, within: timedelta) -> None:
        """Give the client so much time for each part of what it has not taken, from now on."""
        self.stop()
        # What the system has is the system's to send, also after the connection is closed.
        if self._transport.get_write_buffer_size():
            self._taken_at = self._loop.time()
            self._look(within.total_seconds())

    def stop(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _look(self, within: float) -> None:
        left, now = self._untaken_bytes(), self._loop.time()
        if left != self._left_bytes:
            self._left_bytes, self._taken_at = left, now
        if now - self._taken_at >= within:
            self._transport.abort()
        elif self._transport.get_write_buffer_size():
            self._next = self._loop.call_later(within / _LOOKS, self._look, within)

    def _untaken_bytes(self) -> int:
        """Return how much was not acknowledged; the system asks for more seldom than it sends."""
        own = self._transport.get_write_buffer_size()
        number = self._transport.get_extra_info("socket").fileno()
        try:
            of_system = fcntl.ioctl(number, termios.TIOCOUTQ, bytes(_INT.size))
        except OSError:  # it is Linux that tells
            return own
        return own + int(*_INT.unpack(of_system))
