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

_VERSION = b"\x01"
_KEY_BYTES = 32
_KEY_ID_BYTES = 8
# 96 bits are what GCM is made for; random ones are safe for 2^32 seals under one key.
_NONCE_BYTES = 12
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES
_TAG_BYTES = 16


class VaultError(GatewayError):
    """What was sealed cannot be opened: its key is not known, or it is not what was sealed."""


class Vault:
    """
    Seals texts so that only this vault opens them, and only where they belong.

    The first key seals, any of them opens. A sealed text is the version, the key's id, the nonce
    and the ciphertext; version, key's id and context are authenticated with it.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise VaultError(f"a vault needs at least one key of {_KEY_BYTES} bytes")
        self._keys = tuple(keys)
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def __repr__(self) -> str:
        return f"<Vault of {len(self._keys)} keys>"

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Return `plaintext` encrypted under the newest key, to be opened in this context only."""
        key_id = _key_id(self._keys[0])
        head = _VERSION + key_id
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return head + nonce + self._ciphers[key_id].encrypt(nonce, plaintext, head + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed in this context; `VaultError` for anything else."""
        if len(sealed) < _HEAD_BYTES + _NONCE_BYTES + _TAG_BYTES or not sealed.startswith(_VERSION):
            raise VaultError("this is nothing that a vault of this version sealed")
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        cipher = self._ciphers.get(head[len(_VERSION) :])
        if cipher is None:
            raise VaultError("sealed under a key that is not in vault.keys; add that key there")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head + context)
        except InvalidTag:
            raise VaultError("what was sealed has been altered or moved") from None

    def derive(self, purpose: str) -> tuple[bytes, ...]:
        """Return a key of 32 bytes for a purpose from each key of the vault, newest first."""
        info = b"credit-gateway:" + purpose.encode()
        return tuple(
            HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(key)
            for key in self._keys
        )


def keygen() -> str:
    """Return a new vault key: 32 random bytes in base64, as the configuration takes it."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"credit-gateway:key-id:" + key).digest()[:_KEY_ID_BYTES]
