"""An answer as it is kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from app.responses.budget import Room
from app.responses.lookups import Lookup

# What a kept answer takes beside its bytes, and for each name and each record in it.
_OVERHEAD = 1000
_PER_NAME = 300


@dataclass(eq=False, slots=True)
class Kept:
    """One answer: `body` is its bytes, fresh until then, and true while its dependencies stay.

    It `is_gone` once they changed. What was looked up for it was the same still at `looked_up_at`,
    by the monotonic clock. It has a `room` while it lies in memory, and ends with it the rooms of
    its `copies`, as it was sent.
    """

    key: bytes
    body: bytes
    until: datetime
    documents: Mapping[str, str]
    lookups: Mapping[Lookup, Any]
    looked_up_at: float
    is_gone: bool = False
    is_asked_again: bool = False
    room: Room | None = None
    copies: set[Room] = field(default_factory=set)

    @property
    def weight(self) -> int:
        """About how many bytes it takes in memory."""
        names = len(self.documents) + len(self.lookups)
        records = sum(len(found) for found in self.lookups.values() if isinstance(found, list))
        keys = len(self.key) + sum(len(lookup.key) for lookup in self.lookups)
        return keys + len(self.body) + _PER_NAME * (names + records) + _OVERHEAD


class Written(msgspec.Struct, frozen=True, array_like=True):
    """An answer as it is written; `found` is a digest of what was looked up for it."""

    key: bytes
    until: Annotated[datetime, msgspec.Meta(tz=True)]
    documents: Mapping[str, str]
    lookups: Sequence[Lookup]
    found: bytes
    body: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Written)


def encoded(kept: Kept) -> bytes:
    """Return an answer as it is written."""
    lookups, found = list(kept.lookups), digest(kept.lookups.values())
    return _encoder.encode(Written(kept.key, kept.until, kept.documents, lookups, found, kept.body))


def decoded(data: bytes) -> Written | None:
    """Return what was written; None where it is damaged or of another release."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError):  # a text that is none is a ValueError
        return None


def digest(found: Iterable[object]) -> bytes:
    """Return what is the same only where the same was found in the same order."""
    return sha256(_encoder.encode(list(found))).digest()
