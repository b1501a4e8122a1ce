"""
How what a provider tells is read, and that it is not read where it is told again.

Most reads of a history find nothing new. What surrounds its rows may change all the same, as a time
or the number of a request does, so that it is the rows that are compared.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, NamedTuple, TypeVar

from msgspec import Raw

from app.providers.payload import decoded_data

T = TypeVar("T")

# Reads what an envelope holds; raises `UpstreamInvalidResponse`.
Read = Callable[[Raw], T]
# Nobody tells two things of which these are equal, who does not have so in mind.
_DIGEST_BYTES = 16


class Told(NamedTuple, Generic[T]):
    """What was told, by its digest; `data` is None where it was told before."""

    digest: bytes
    data: T | None


def reading(shape: type[T], provider: str) -> Read[T]:
    """Return what reads data of that shape."""
    return lambda data: decoded_data(data, shape, provider)


def reading_anew(shape: type[T], provider: str, known: bytes) -> Read[Told[T]]:
    """Return what reads data of that shape unless it has the known digest."""

    def read(data: Raw) -> Told[T]:
        digest = blake2b(data, digest_size=_DIGEST_BYTES).digest()
        return Told(digest, None if digest == known else decoded_data(data, shape, provider))

    return read
