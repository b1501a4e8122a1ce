"""Cursors: signed places in the total order, bound to one list."""

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256

from app.mirror.timeline import Key
from app.model.errors import InvalidCursor

_MAC_BYTES = 12
# Of a list several pages are asked for, each with two cursors; each takes some 400 bytes.
_MOST_LISTS = 2000
# Time in microseconds, account id, position.
_PLACE = struct.Struct(">q8sI")


class CursorSigner:
    """Writes and reads cursors. The first key signs; each of them is accepted."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        # Prepared once, as that takes longer than to sign.
        self._macs = [hmac.new(key, digestmod="sha256") for key in keys]

    def write(self, content: bytes, bound_to: str) -> str:
        """Return an opaque text that `read` accepts for the same list alone."""
        return self._write(content, _digest(bound_to))

    def read(self, cursor: str, bound_to: str) -> bytes:
        """Return what was written; `InvalidCursor` for anything but that very text."""
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (Base64Error, ValueError) as error:
            raise _invalid() from error
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        bound = _digest(bound_to)
        is_ours = any(hmac.compare_digest(mac, _mac(one, content, bound)) for one in self._macs)
        if not is_ours or urlsafe_b64encode(raw).decode().rstrip("=") != cursor:
            raise _invalid()
        return content

    def places(self, bound_to: str) -> Callable[[Key], str]:
        """Return what writes the cursor of a place in this history."""
        bound = _digest(bound_to)

        def write(key: Key) -> str:
            at, account_id, position = key
            return self._write(_PLACE.pack(at, bytes.fromhex(account_id), position), bound)

        return write

    def read_place(self, cursor: str, bound_to: str) -> Key:
        """Return the place that a cursor names; raises `InvalidCursor`."""
        try:
            at, account_id, position = _PLACE.unpack(self.read(cursor, bound_to))
        except struct.error as error:  # pragma: no cover - signed by us for a list without places
            raise _invalid() from error
        return at, account_id.hex(), position

    def _write(self, content: bytes, bound: bytes) -> str:
        mac = _mac(self._macs[0], content, bound)
        return urlsafe_b64encode(mac + content).decode().rstrip("=")


@lru_cache(_MOST_LISTS)
def _digest(bound_to: str) -> bytes:
    return sha256(bound_to.encode()).digest()


def _mac(prepared: hmac.HMAC, content: bytes, bound: bytes) -> bytes:
    mac = prepared.copy()
    mac.update(bound + content)
    return mac.digest()[:_MAC_BYTES]


def _invalid() -> InvalidCursor:
    return InvalidCursor(
        "The cursor does not belong to this list and filter; start without a cursor."
    )
