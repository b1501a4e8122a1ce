"""A name server as Docker has one: it knows where the containers of a service are."""

import struct
from collections.abc import Sequence
from ipaddress import IPv4Address
from socketserver import BaseRequestHandler, ThreadingUDPServer
from threading import Thread
from types import TracebackType
from typing import Self

_HEADER = struct.Struct(">HHHHHH")
_ANSWERED = 0x8180
_ADDRESS, _INTERNET = 1, 1


class NameServer:
    """Answers each question for an address with all of these, whatever the name."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._server = ThreadingUDPServer(("127.0.0.1", 0), _answering(addresses))
        self._thread = Thread(target=self._server.serve_forever)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _answering(addresses: Sequence[str]) -> type[BaseRequestHandler]:
    class Answering(BaseRequestHandler):
        def handle(self) -> None:
            asked, socket = self.request
            socket.sendto(answer(asked, addresses), self.client_address)

    return Answering


def answer(asked: bytes, addresses: Sequence[str]) -> bytes:
    """Return the answer to a question (RFC 1035); there are no addresses of other kinds."""
    number, *_ = _HEADER.unpack_from(asked)
    end = asked.index(b"\0", _HEADER.size) + 1
    question = asked[_HEADER.size : end + 4]
    (kind,) = struct.unpack_from(">H", asked, end)
    rows = [
        # The name of the question, for five seconds.
        struct.pack(">HHHIH", 0xC000 | _HEADER.size, _ADDRESS, _INTERNET, 5, 4)
        + IPv4Address(one).packed
        for one in (addresses if kind == _ADDRESS else ())
    ]
    return _HEADER.pack(number, _ANSWERED, 1, len(rows), 0, 0) + question + b"".join(rows)
