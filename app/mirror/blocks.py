"""Entries in blocks: each is stored as one, so that a change of a long history writes little."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from secrets import token_hex
from typing import Self

import msgspec

from app.model.entries import Entry

_MOST_ENTRIES = 256
# What an entry takes in memory, from what it takes encoded; measured, see the test of it.
_BYTES_FOR_AN_ENTRY = 800
_BYTES_FOR_A_BYTE = 3


@dataclass(frozen=True)
class Block:
    """Some consecutive entries, newest first, under a name that is never used again."""

    name: str
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, entries: tuple[Entry, ...]) -> Self:
        return cls(token_hex(6), entries)

    @cached_property
    def weight(self) -> int:
        """About how many bytes the entries take in memory."""
        encoded = len(msgspec.msgpack.encode(self.entries))
        return _BYTES_FOR_AN_ENTRY * len(self.entries) + _BYTES_FOR_A_BYTE * encoded


def blocked(entries: tuple[Entry, ...], known: Sequence[Block] = ()) -> tuple[Block, ...]:
    """Split entries into blocks, keeping the known ones at both ends that are still part of them.

    A small block beside what is new is joined with it, so that blocks do not become ever more.
    """
    head: list[Block] = []
    start, stop = 0, len(entries)
    for block in known:
        end = start + len(block.entries)
        if entries[start:end] != block.entries:
            break
        head.append(block)
        start = end
    tail: list[Block] = []
    for block in reversed(known[len(head) :]):
        begin = stop - len(block.entries)
        if begin < start or entries[begin:stop] != block.entries:
            break
        tail.append(block)
        stop = begin
    if start < stop:
        while head and len(head[-1].entries) < _MOST_ENTRIES:
            start -= len(head.pop().entries)
        while tail and len(tail[-1].entries) < _MOST_ENTRIES:
            stop += len(tail.pop().entries)
    new = (
        Block.of(entries[at : min(at + _MOST_ENTRIES, stop)])
        for at in range(start, stop, _MOST_ENTRIES)
    )
    return (*head, *new, *reversed(tail))
