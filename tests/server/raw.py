"""HTTP as bytes, for what no client would send."""

import socket
from typing import NamedTuple
from urllib.parse import urlsplit


class Raw(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def exchange(url: str, request: bytes) -> Raw:
    """Send bytes and return the answer; the connection is closed after it."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), 10) as connection:
        connection.sendall(request)
        file = connection.makefile("rb")
        status = int(file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Raw(status, headers, file.read(int(headers.get("content-length", "0"))))


def chunked(body: bytes) -> bytes:
    """Return a POST of a body whose length is not told beforehand."""
    head = (
        b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    step = 1 << 16
    parts = (body[start : start + step] for start in range(0, len(body), step))
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
