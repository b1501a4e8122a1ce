"""The faults that a wire can be given, and what a gateway tells of each."""

import asyncio
import gzip
import socket
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from email.utils import format_datetime
from functools import cache
from typing import NamedTuple

from wire import Exchange, Fault

UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
TIMEOUT = "UPSTREAM_TIMEOUT"
RATE_LIMITED = "UPSTREAM_RATE_LIMITED"
INVALID = "UPSTREAM_INVALID_RESPONSE"

# More often than a gateway's patience with a silent connection could end.
_DRIP_SECONDS = 0.05
HUGE_BYTES = 210 << 20
_PIECE = b" " * (1 << 16)
# An address for documentation, which nobody has.
_FOREIGN = "http://203.0.113.1/"


class Case(NamedTuple):
    """A fault, and the codes that may be told for it."""

    fault: Fault
    codes: frozenset[str]


def head(status: str = "200 OK", *fields: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def saying(said: Callable[[], bytes]) -> Fault:
    """Answer with these bytes."""

    async def fault(exchange: Exchange) -> None:
        await exchange.say(said())

    return fault


def answering(body: bytes, status: str = "200 OK", *fields: str) -> Fault:
    """Answer with this body, whole."""
    return saying(lambda: head(status, f"Content-Length: {len(body)}", *fields) + body)


def refusing(status: str, retry_after: str | None = None) -> Fault:
    """Answer that it does not answer now."""
    fields = [] if retry_after is None else [f"Retry-After: {retry_after}"]
    return answering(b"{}", status, *fields)


def pouring(first: bytes, pieces: Callable[[], Iterator[bytes]], pause: float = 0) -> Fault:
    """Answer piece after piece, for as long as anybody takes them."""

    async def fault(exchange: Exchange) -> None:
        await exchange.say(first)
        for piece in pieces():
            await exchange.say(piece)
            if pause:
                await asyncio.sleep(pause)

    return fault


def dripping(whole: bytes) -> Fault:
    """Answer byte by byte, long."""
    return pouring(b"", lambda: (bytes([byte]) for byte in whole), _DRIP_SECONDS)


def forever(piece: bytes) -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        while True:
            yield piece

    return pieces


async def hang(exchange: Exchange) -> None:
    await exchange.until_gone()


async def reset(exchange: Exchange) -> None:
    """Cut the connection so that the other side is told of an error, not of an end."""
    at_once = struct.pack("ii", 1, 0)
    own: socket.socket = exchange.writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    exchange.writer.transport.abort()


async def reset_within(exchange: Exchange) -> None:
    await half(exchange)
    await reset(exchange)


async def half(exchange: Exchange) -> None:
    whole = await exchange.answer()
    body = whole.index(b"\r\n\r\n") + 4
    await exchange.say(whole[: body + (len(whole) - body) // 2])


async def elsewhere(exchange: Exchange) -> None:
    await exchange.say(head("302 Found", f"Location: {exchange.decoy}", "Content-Length: 0"))


async def retry_by_date(exchange: Exchange) -> None:
    at = format_datetime(exchange.now + timedelta(seconds=2), usegmt=True)
    await refusing("429 Too Many Requests", at)(exchange)


@cache
def bomb() -> bytes:
    """Return a few hundred kilobytes that become more than 200 MB of good JSON."""
    return gzip.compress(b"[" + b" " * HUGE_BYTES + b"]", compresslevel=6)


async def gzip_bomb(exchange: Exchange) -> None:
    fields = f"Content-Length: {len(bomb())}", "Content-Encoding: gzip"
    await exchange.say(head("200 OK", *fields) + bomb())


def _huge() -> Iterator[bytes]:
    yield from (_PIECE for _ in range(HUGE_BYTES // len(_PIECE)))


_HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
_CHUNK = b"10000\r\n" + _PIECE + b"\r\n"
_TOO_MANY = "429 Too Many Requests"
_AWAY = "503 Service Unavailable"


def _case(fault: Fault, *codes: str) -> Case:
    return Case(fault, frozenset(codes))


CASES: Mapping[str, Case] = {
    "hang": _case(hang, TIMEOUT),
    "drip_head": _case(dripping(head("200 OK", "X-Long: " + "x" * 500)), TIMEOUT),
    "drip_body": _case(
        pouring(head("200 OK", "Content-Length: 500"), forever(b" "), _DRIP_SECONDS), TIMEOUT
    ),
    "reset": _case(reset, UNAVAILABLE),
    "reset_within": _case(reset_within, UNAVAILABLE),
    "half": _case(half, UNAVAILABLE),
    "garbage": _case(saying(lambda: b"\x00\xff\xfe SSH-2.0 \r\n\r\n"), INVALID, UNAVAILABLE),
    "html": _case(
        saying(
            lambda: (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"
                b"<html></html>"
            )
        ),
        INVALID,
    ),
    "html_as_json": _case(answering(b"<html></html>"), INVALID),
    "429": _case(refusing(_TOO_MANY), RATE_LIMITED),
    "429_seconds": _case(refusing(_TOO_MANY, "2"), RATE_LIMITED),
    "429_date": _case(retry_by_date, RATE_LIMITED),
    "429_year_9999": _case(refusing(_TOO_MANY, "Fri, 31 Dec 9999 23:59:59 GMT"), RATE_LIMITED),
    "429_ages": _case(refusing(_TOO_MANY, "9" * 400), RATE_LIMITED),
    "429_negative": _case(refusing(_TOO_MANY, "-60"), RATE_LIMITED),
    "429_words": _case(refusing(_TOO_MANY, "in a while"), RATE_LIMITED),
    "503": _case(refusing(_AWAY), UNAVAILABLE),
    "503_seconds": _case(refusing(_AWAY, "2"), UNAVAILABLE),
    "gzip_bomb": _case(gzip_bomb, INVALID),
    "huge": _case(pouring(head("200 OK", f"Content-Length: {HUGE_BYTES}"), _huge), INVALID),
    "endless_chunks": _case(
        pouring(head("200 OK", "Transfer-Encoding: chunked"), forever(_CHUNK)), INVALID
    ),
    "redirect": _case(elsewhere, INVALID),
    "redirect_abroad": _case(answering(b"", "307 See", f"Location: {_FOREIGN}"), INVALID),
    "bad_utf8": _case(answering(b'{"code": 0, "data": {"\xff\xfe": "\xc3\x28"}}'), INVALID),
    "nested": _case(answering(b"[" * 100_000 + b"]" * 100_000), INVALID),
    "early_hints": _case(
        pouring(b"", forever(_HINT * 100)),
        INVALID,
    ),
    "header_flood": _case(
        pouring(head()[:-2], forever(b"X-Flood: 0123456789\r\n" * 100)),
        *(INVALID, UNAVAILABLE, TIMEOUT),
    ),
}
