"""How documents are written: msgpack, the blocks of a history compressed."""

import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from app.mirror.blocks import Block
from app.mirror.crawl import is_as_deep_as
from app.mirror.joining import spliced
from app.mirror.snapshot import Snapshot
from app.mirror.store import Encoded, Found
from app.model.entries import CreditChange, Entry, Payment, Stream
from app.providers.page import NO_PAGE

T = TypeVar("T")
D = TypeVar("D")

_SHAPES: dict[Stream, type[tuple[Entry, ...]]] = {
    Stream.CREDIT_CHANGES: tuple[CreditChange, ...],
    Stream.PAYMENTS: tuple[Payment, ...],
}


class Codec(Protocol[D]):
    """Writes and reads one kind of document.

    `translation` marks how the provider's answers were read; what was read otherwise is not read.
    """

    def encoded(self, document: D, translation: str, stored: D | None) -> Encoded:
        """Return the document as it is written over `stored`, None for nothing."""

    def decoded(self, found: Found, translation: str, known: D | None) -> D | None:
        """Return what was found, with what only this process knows; None where it is damaged."""


class _State(msgspec.Struct, frozen=True, array_like=True):
    translation: str
    account_id: str
    next: str | None
    last: str | None
    total: int | None
    surplus: int
    rebuilt_for: str
    read_at: datetime
    built_at: datetime


class SnapshotCodec:
    """Writes and reads the mirrors of one stream."""

    def __init__(self, stream: Stream) -> None:
        self._shape = _SHAPES[stream]

    def encoded(self, document: Snapshot, translation: str, stored: Snapshot | None) -> Encoded:
        state = _State(
            translation,
            document.account_id,
            document.next,
            document.last,
            document.total,
            document.surplus,
            document.rebuilt_for,
            document.read_at,
            document.built_at,
        )
        there = {block.name for block in stored.blocks} if stored else set()
        blocks = {
            block.name: None if block.name in there else _compressed(block)
            for block in document.blocks
        }
        sealed = _sealed(msgspec.msgpack.encode(state), document.version, blocks)
        return Encoded(document.version, sealed, blocks)

    def decoded(self, found: Found, translation: str, known: Snapshot | None) -> Snapshot | None:
        if found.state is None or found.version is None:
            return None
        state = read(_opened(found.state, found.version, found.names), _State)
        if state is None or state.translation != translation:
            return None
        there = {block.name: block for block in known.blocks} if known else {}
        blocks = self._blocks(found, there)
        if blocks is None:
            return None
        snapshot = Snapshot(
            state.account_id,
            blocks,
            state.next,
            state.read_at,
            state.built_at,
            found.version,
            state.last,
            state.total,
            state.surplus,
            state.rebuilt_for,
            known.page if known else NO_PAGE,
        )
        return _joined(snapshot.derived_from(known), known) if known else snapshot

    def _blocks(self, found: Found, there: Mapping[str, Block]) -> tuple[Block, ...] | None:
        blocks = [there.get(name) or self._block(name, found.blocks) for name in found.names]
        whole = tuple(block for block in blocks if block is not None)
        return whole if len(whole) == len(blocks) else None

    def _block(self, name: str, found: Mapping[str, bytes]) -> Block | None:
        try:
            entries = msgspec.msgpack.decode(zlib.decompress(found[name]), type=self._shape)
        except (KeyError, zlib.error, msgspec.DecodeError):
            return None
        return Block(name, entries)


def _joined(found: Snapshot, known: Snapshot) -> Snapshot:
    """Return the one that was read later, as deep as either where the two fit together."""
    later, earlier = (known, found) if known.read_at > found.read_at else (found, known)
    if is_as_deep_as(later, earlier):
        return later
    entries = spliced(later.entries, earlier.entries)
    return earlier.holding(entries, read_at=later.read_at) if entries else later


def _compressed(block: Block) -> bytes:
    return zlib.compress(msgspec.msgpack.encode(block.entries))


def _sealed(state: bytes, version: str, names: Iterable[str]) -> bytes:
    """Return the state with a sum, by which it, its version and its names prove to be whole."""
    return zlib.crc32(" ".join((version, *names)).encode() + state).to_bytes(4, "big") + state


def _opened(sealed: bytes, version: str, names: Iterable[str]) -> bytes | None:
    return sealed[4:] if _sealed(sealed[4:], version, names) == sealed else None


def read(raw: bytes | None, shape: type[T]) -> T | None:
    """Return what was written; None for what cannot be read."""
    if raw is None:
        return None
    try:
        return msgspec.msgpack.decode(raw, type=shape)
    except msgspec.DecodeError:
        return None
