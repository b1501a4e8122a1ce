"""The bodies of answers, of which no more is unpacked than may be read."""

import zlib

import aiohttp

from app.outgoing.client import field_of

_GZIP = 16 + zlib.MAX_WBITS
_DEFLATE, _RAW_DEFLATE = zlib.MAX_WBITS, -zlib.MAX_WBITS
# How the first byte of what RFC 1950 packs ends; some servers leave that wrapping out.
_WRAPPED = 8
PLAIN = frozenset({"", "identity"})
READABLE = PLAIN | {"gzip", "deflate"}


class TooLarge(Exception):
    """A body has more bytes than may be read, packed or unpacked."""


class Unpackable(Exception):
    """A body is not packed as its head says."""


def coding_of(response: aiohttp.ClientResponse) -> str:
    """Return how an answer says that its body is packed; empty where it does not."""
    return field_of(response, "Content-Encoding").strip().lower()


async def body_of(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Return the body of an answer, unpacked; its coding has to be one of `READABLE`.

    Raises `TooLarge`, `Unpackable`, `aiohttp.ClientError` and `OSError`.
    """
    coding = coding_of(response)
    packed = None if coding in PLAIN else _Packed(coding)
    parts: list[bytes] = []
    left = most_bytes
    while given := await response.content.readany():
        part = packed.unpacked(given, left + 1) if packed else given
        left -= len(part)
        if left < 0:
            raise TooLarge
        parts.append(part)
        if packed and packed.is_whole:
            break
    if packed and not packed.is_whole and parts:
        raise Unpackable
    return parts[0] if len(parts) == 1 else b"".join(parts)


class _Packed:
    """Unpacks what comes in pieces, never more of it than is asked for."""

    def __init__(self, coding: str) -> None:
        self._is_gzip = coding == "gzip"
        self._unpacking: zlib._Decompress | None = None

    @property
    def is_whole(self) -> bool:
        return self._unpacking is not None and self._unpacking.eof

    def unpacked(self, given: bytes, most_bytes: int) -> bytes:
        """Return what these bytes add, cut off behind `most_bytes`; raises `Unpackable`."""
        if self._unpacking is None:
            is_wrapped = given[0] & 0x0F == _WRAPPED
            deflate = _DEFLATE if is_wrapped else _RAW_DEFLATE
            self._unpacking = zlib.decompressobj(_GZIP if self._is_gzip else deflate)
        try:
            return self._unpacking.decompress(given, most_bytes)
        except zlib.error as error:
            raise Unpackable from error
