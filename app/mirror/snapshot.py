"""One state of a mirror, and what a page read from the provider makes of it; no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from app.mirror.timeline import Timeline, ordered
from app.model.entries import Entry
from app.model.errors import PlaceLost
from app.providers.page import Page


@dataclass(frozen=True)
class Snapshot:
    """The newest part of one account's history, without gaps.

    `entries` are in the provider's order, newest first. `next` is where its list continues, None
    when the beginning is reached. `read_at` is when the newest end was last confirmed, `built_at`
    when the oldest part was read. `version` is new with every change.
    """

    account_id: str
    entries: tuple[Entry, ...]
    next: str | None
    read_at: datetime
    built_at: datetime
    version: str

    @property
    def complete(self) -> bool:
        return self.next is None

    @cached_property
    def timeline(self) -> Timeline:
        return ordered(self.entries, self.account_id, complete=self.complete)


def extended(snapshot: Snapshot, page: Page, version: str) -> Snapshot:
    """Return the snapshot with the page that follows it; `PlaceLost` where it does not follow.

    A list numbered by pages shifts when an entry arrives, so that known entries come again; they
    are told by their ids.
    """
    known_end = [entry.id for entry in snapshot.entries[len(snapshot.entries) - page.overlap :]]
    if [entry.id for entry in page.entries[: page.overlap]] != known_end:
        raise PlaceLost("The page does not continue where the last one ended.")
    known = {entry.id for entry in snapshot.entries if entry.has_own_id}
    fresh = tuple(entry for entry in page.entries[page.overlap :] if entry.id not in known)
    return replace(snapshot, entries=snapshot.entries + fresh, next=page.next, version=version)


def spliced(newest: Sequence[Entry], known: Sequence[Entry]) -> tuple[Entry, ...] | None:
    """Join newly read entries to the known ones where they overlap; None where they do not.

    The overlap must be equal row by row, so that an entry that was corrected or deleted in the
    part that was read again is noticed. What was read now replaces what was known.
    """
    new_ids = [entry.id for entry in newest]
    known_ids = [entry.id for entry in known[: len(newest)]]
    for arrived in range(len(newest)):
        overlap = new_ids[arrived:]
        if overlap == known_ids[: len(overlap)]:
            return (*newest, *known[len(overlap) :])
    return None
