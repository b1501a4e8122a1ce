"""HTTP as bytes, for what no client would send."""

import socket
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit


class Raw(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Conversation:
    """One connection on which anything can be sent, and answers read one by one."""

    def __init__(self, url: str, patience: float = 10) -> None:
        address = urlsplit(url)
        self._connection = socket.create_connection((address.hostname, address.port), patience)
        self._file = self._connection.makefile("rb")
        self._bodiless = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._connection.close()

    def send(self, request: bytes) -> None:
        self._bodiless = request.startswith(b"HEAD ")
        self._connection.sendall(request)

    def end(self) -> None:
        """Tell that nothing more is sent."""
        self._connection.shutdown(socket.SHUT_WR)

    def answer(self) -> Raw:
        """Return the next answer; one in chunks is returned without its body."""
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if self._bodiless else int(headers.get("content-length", "0"))
        return Raw(status, headers, self._file.read(length))

    def asked(self, request: bytes) -> Raw:
        """Send a request and return its answer."""
        self.send(request)
        return self.answer()

    def line(self) -> bytes:
        return self._file.readline()

    def chunks(self) -> bytes:
        """Return the body of an answer in chunks as it is on the wire."""
        found = b""
        while not found.endswith(b"0\r\n\r\n"):
            found += self._file.readline()
        return found

    def is_closed(self) -> bool:
        """Wait for the other side to close; a reset counts."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True


def exchange(url: str, request: bytes) -> Raw:
    """Send bytes and return the answer; the connection is closed after it."""
    with Conversation(url) as conversation:
        conversation.send(request)
        return conversation.answer()


def post(body: bytes, *fields: bytes) -> bytes:
    """Return a POST of a body; `fields` are further lines of its head."""
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([POST, b"Content-Type: application/json", length, *fields, b"", body])


def chunked(body: bytes) -> bytes:
    """Return a POST of a body whose length is not told beforehand."""
    head = (
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    step = 1 << 16
    parts = (body[start : start + step] for start in range(0, len(body), step))
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


POST = b"POST /graphql HTTP/1.1\r\nHost: localhost"
