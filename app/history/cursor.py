"""Cursors: signed places in the total order, bound to one list."""

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import sha256

from app.mirror.timeline import Key
from app.model.errors import InvalidCursor

_MAC_BYTES = 12
# Time in microseconds, account id, position.
_PLACE = struct.Struct(">q8sI")


class CursorSigner:
    """Writes and reads cursors. The first key signs; each of them is accepted."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def write(self, content: bytes, bound_to: str) -> str:
        """Return an opaque text that `read` accepts for the same list alone."""
        mac = _mac(self._keys[0], content, bound_to)
        return urlsafe_b64encode(mac + content).decode().rstrip("=")

    def read(self, cursor: str, bound_to: str) -> bytes:
        """Return what was written; `InvalidCursor` for anything but that very text."""
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except (Base64Error, ValueError) as error:
            raise _invalid() from error
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        is_ours = any(hmac.compare_digest(mac, _mac(key, content, bound_to)) for key in self._keys)
        if not is_ours or urlsafe_b64encode(raw).decode().rstrip("=") != cursor:
            raise _invalid()
        return content

    def write_place(self, key: Key, bound_to: str) -> str:
        """Return the cursor of a place in a history."""
        at, account_id, position = key
        return self.write(_PLACE.pack(at, bytes.fromhex(account_id), position), bound_to)

    def read_place(self, cursor: str, bound_to: str) -> Key:
        """Return the place that a cursor names; raises `InvalidCursor`."""
        try:
            at, account_id, position = _PLACE.unpack(self.read(cursor, bound_to))
        except struct.error as error:  # pragma: no cover - signed by us for a list without places
            raise _invalid() from error
        return at, account_id.hex(), position


def _mac(key: bytes, content: bytes, bound_to: str) -> bytes:
    bound = sha256(bound_to.encode()).digest()
    return hmac.digest(key, bound + content, "sha256")[:_MAC_BYTES]


def _invalid() -> InvalidCursor:
    return InvalidCursor(
        "The cursor does not belong to this list and filter; start without a cursor."
    )
