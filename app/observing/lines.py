"""
Lines of the log on their way out of the process, which never wait for who reads them.

A pipe holds 64 kB: were it written to in place, a collector that stands still would stop the
gateway. A thread writes instead, some times a second; what it cannot get rid of is bounded, and
what is dropped is counted.
"""

import atexit
import os
import select
import threading
import time
from collections import deque
from contextlib import suppress

# Several processes write to one pipe: so much of each arrives in one piece.
_PIECE_BYTES = select.PIPE_BUF
# A person does not see the pause, and a thousand requests a second are one turn of the thread.
_PAUSE_SECONDS = 0.05
# Some 8 MB: at a thousand lines a second, twenty seconds of a collector that stands still.
_MOST_WAITING = 20_000
# At the end of a process, for a collector that may still read.
_LAST_SECONDS = 2.0
_LOOK_EVERY_SECONDS = 1.0


class Lines:
    """Writes lines to an open file, in the order in which they came."""

    def __init__(self, file_number: int) -> None:
        self._file = file_number
        self._waiting: deque[bytes] = deque()
        self._came = threading.Event()
        self._turn = threading.Lock()
        self._thread: threading.Thread | None = None
        self.dropped = 0

    def write(self, line: bytes) -> None:
        """Take one line, which ends with a line break and holds no other."""
        if len(self._waiting) >= _MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append(line)
        if not self._came.is_set():
            self._came.set()
            if self._thread is None:
                self._start()

    def flush(self) -> None:
        """Write what waits, for as long as the end of a process may take."""
        until = time.monotonic() + _LAST_SECONDS
        if self._turn.acquire(timeout=_LAST_SECONDS):
            try:
                self._write_waiting(until)
            finally:
                self._turn.release()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._write_for_ever, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.flush)

    def _write_for_ever(self) -> None:
        while True:
            self._came.wait()
            time.sleep(_PAUSE_SECONDS)
            self._came.clear()
            with self._turn:
                self._write_waiting()

    def _write_waiting(self, until: float = float("inf")) -> None:
        while self._waiting and time.monotonic() < until:
            with suppress(OSError):  # what nobody reads any more is nobody's loss
                self._write_whole(self._next_piece(), until)

    def _next_piece(self) -> bytes:
        """Take as many lines as arrive in one piece, and one at least."""
        lines = [self._waiting.popleft()]
        room = _PIECE_BYTES - len(lines[0])
        while self._waiting and len(self._waiting[0]) <= room:
            lines.append(self._waiting.popleft())
            room -= len(lines[-1])
        return b"".join(lines)

    def _write_whole(self, piece: bytes, until: float) -> None:
        left = memoryview(piece)
        while left and (rest := until - time.monotonic()) > 0:
            # Then so much can be written without waiting for a reader.
            _, writable, _ = select.select([], [self._file], [], min(rest, _LOOK_EVERY_SECONDS))
            if writable:
                left = left[os.write(self._file, left[:_PIECE_BYTES]) :]


class Quick:
    """Where lines go that are JSON already; `lines` is None where the log is written otherwise.

    There is one log of a process, and one of these.
    """

    lines: Lines | None = None


quick = Quick()
