"""Encryption of what is stored, and keys derived for other uses."""

import base64
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.model.errors import GatewayError

# Sealed under a key of the vault itself, as the first release did.
_DIRECT = b"\x01"
# Sealed under a key of its own, and that under a key of the vault.
_ENVELOPE = b"\x02"
_KEY_BYTES = 32
_KEY_ID_BYTES = 8
# 96 bits are what GCM is made for; random ones are safe for 2^32 seals under one key.
_NONCE_BYTES = 12
_HEAD_BYTES = 1 + _KEY_ID_BYTES
_TAG_BYTES = 16
_WRAPPED_BYTES = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES
# Whose data it is: there is one tenant so far, and what is its own stays its own with a second.
_TENANT = b"default"


class VaultError(GatewayError):
    """What was sealed cannot be opened: its key is not known, or it is not what was sealed."""


class Vault:
    """
    Seals texts so that only this vault opens them, and only where they belong.

    Each text is encrypted under a key of its own, its data key, and that under the newest key of
    the vault; any key of the vault opens. What is sealed is the version, the id of the vault's
    key, the encrypted data key and the encrypted text, each of the two after its nonce. Tenant and
    context are authenticated with both, the id of the vault's key with the data key.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise VaultError(f"a vault needs at least one key of {_KEY_BYTES} bytes")
        self._keys = tuple(keys)
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def __repr__(self) -> str:
        return f"<Vault of {len(self._keys)} keys>"

    @property
    def newest(self) -> bytes:
        """What everything begins with that is sealed under the newest key."""
        return _ENVELOPE + _key_id(self._keys[0])

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Return `plaintext` encrypted under the newest key, to be opened in this context only."""
        data_key = secrets.token_bytes(_KEY_BYTES)
        text = _encrypted(AESGCM(data_key), plaintext, _bound(b"text", _ENVELOPE, context))
        return self._wrapped(data_key, context) + text

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed in this context; `VaultError` for anything else."""
        if sealed.startswith(_DIRECT):
            head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
            return _decrypted(self._cipher(head), rest, head + context)
        data_key, text = self._unwrapped(sealed, context)
        return _decrypted(AESGCM(data_key), text, _bound(b"text", _ENVELOPE, context))

    def rotated(self, sealed: bytes, context: bytes) -> bytes:
        """
        Return what was sealed with its data key under the newest key; `VaultError` as `open`.

        What already is comes back as it is. The text itself is opened as well, so that nothing
        altered is sealed anew.
        """
        plaintext = self.open(sealed, context)
        if sealed.startswith(self.newest):
            return sealed
        if sealed.startswith(_DIRECT):
            return self.seal(plaintext, context)
        data_key, text = self._unwrapped(sealed, context)
        return self._wrapped(data_key, context) + text

    def derive(self, purpose: str) -> tuple[bytes, ...]:
        """Return a key of 32 bytes for a purpose from each key of the vault, newest first."""
        info = b"credit-gateway:" + purpose.encode()
        return tuple(
            HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(key)
            for key in self._keys
        )

    def _wrapped(self, data_key: bytes, context: bytes) -> bytes:
        head = self.newest
        return head + _encrypted(self._cipher(head), data_key, _bound(b"key", head, context))

    def _unwrapped(self, sealed: bytes, context: bytes) -> tuple[bytes, bytes]:
        """Return the data key and the text, which is encrypted under it."""
        if not sealed.startswith(_ENVELOPE):
            raise VaultError("this is nothing that a vault of this version sealed")
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        wrapped, text = rest[:_WRAPPED_BYTES], rest[_WRAPPED_BYTES:]
        return _decrypted(self._cipher(head), wrapped, _bound(b"key", head, context)), text

    def _cipher(self, head: bytes) -> AESGCM:
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise VaultError("sealed under a key that is not in vault.keys; add that key there")
        return cipher


def keygen() -> str:
    """Return a new vault key: 32 random bytes in base64, as the configuration takes it."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"credit-gateway:key-id:" + key).digest()[:_KEY_ID_BYTES]


def _bound(part: bytes, head: bytes, context: bytes) -> bytes:
    # None of the first three has a varying length, so no other four give the same.
    return b":".join((part, head, _TENANT, context))


def _encrypted(cipher: AESGCM, plaintext: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, bound)


def _decrypted(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise VaultError("this is nothing that a vault of this version sealed")
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except InvalidTag:
        raise VaultError("what was sealed has been altered or moved") from None
