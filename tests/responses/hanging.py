"""A way to a Redis on which the connections that listen can be made to hang."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE_BYTES = 64 << 10
_LISTENS = b"SUBSCRIBE"


class Way:
    """Passes everything on, but what comes on connections that `hang`."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).hostname, urlsplit(url).port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._sockets: list[socket.socket] = []
        # By connection, those that listen; each is set while it hangs.
        self._listening: list[threading.Event] = []

    def hang(self) -> None:
        """Let nothing more come on the connections that listen now; they stay open."""
        for one in self._listening:
            one.set()

    def open(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                hangs = threading.Event()
                self._start(self._ask, client, server, hangs)
                self._start(self._answer, server, client, hangs)

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _start(self, passes: object, *ends: object) -> None:
        threading.Thread(target=passes, args=ends, daemon=True).start()  # type: ignore[arg-type]

    def _ask(self, client: socket.socket, server: socket.socket, hangs: threading.Event) -> None:
        with suppress(OSError):
            while data := client.recv(_PIECE_BYTES):
                if _LISTENS in data:
                    self._listening.append(hangs)
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket, hangs: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(_PIECE_BYTES):
                if not hangs.is_set():
                    client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@contextmanager
def way(url: str) -> Iterator[Way]:
    """Open a way to the Redis at this address."""
    one = Way(url)
    thread = threading.Thread(target=one.open, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        one.close()
        thread.join(5)
