"""The keys that tokens are verified with, each pinned to the algorithms of its type."""

from dataclasses import dataclass, field
from typing import Protocol

from app.model.signing import VerifyingKey, algorithms, public_key


@dataclass(frozen=True)
class Key:
    """One key. `id` is the issuer's name for it, None where it has none."""

    verifies: VerifyingKey | bytes = field(repr=False)
    algorithms: frozenset[str]
    id: str | None = None


class KeySource(Protocol):
    """Where the keys come from."""

    async def find(self, key_id: str | None, algorithm: str) -> Key | None:
        """Return the key that a token names, None where there is none for its algorithm.

        Raises `UpstreamUnavailable` where it cannot be known now which keys there are.
        """
        ...

    def holds(self, key: Key) -> bool:
        """Say whether a key found before may still be used."""
        ...


class OneKey:
    """A key from the configuration: whatever id a token names, it is this one."""

    def __init__(self, key: Key) -> None:
        self._key = key

    async def find(self, key_id: str | None, algorithm: str) -> Key | None:  # noqa: ARG002
        return self._key if algorithm in self._key.algorithms else None

    def holds(self, key: Key) -> bool:
        return key is self._key


def static_key(pem: str) -> Key:
    """Return the public key in a PEM text that the settings accepted."""
    key = public_key(pem)
    return Key(key, algorithms(key))


def development_key(secret: str) -> Key:
    """Return the symmetric key of whoever both issues and verifies."""
    return Key(secret.encode(), frozenset({"HS256"}))
