"""One state of a mirror; no I/O."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from secrets import token_hex
from typing import Any, Self

from app.mirror.blocks import Block, blocked
from app.mirror.timeline import Timeline, continued, ordered
from app.model.entries import Entry
from app.providers.page import NO_PAGE, Page


@dataclass(frozen=True)
class Snapshot:
    """The newest part of one account's history, without gaps.

    `blocks` hold the entries in the provider's order, newest first. `next` is where its list
    continues, None when the beginning is reached; `last` is the place of the page before that, None
    for the newest page, and `total` what that page counted. `read_at` is when the newest end was
    last confirmed, `built_at` when the oldest part was read. `surplus` is how many more entries
    the provider counts than there are, `rebuilt_for` the last drift that the history was read anew
    for. `version` is new with every change. `page` is the newest one as this process read it last,
    so that it need not be read again where the provider tells the same.
    """

    account_id: str
    blocks: tuple[Block, ...]
    next: str | None
    read_at: datetime
    built_at: datetime
    version: str
    last: str | None = None
    total: int | None = None
    surplus: int = 0
    rebuilt_for: str = ""
    page: Page = NO_PAGE

    @classmethod
    def newest(cls, account_id: str, page: Page, now: datetime) -> Self:
        """Return the mirror of the newest page alone."""
        blocks = blocked(page.entries)
        return cls(
            account_id, blocks, page.next, now, now, token_hex(8), total=page.total, page=page
        )

    @property
    def complete(self) -> bool:
        return self.next is None

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(chain.from_iterable(block.entries for block in self.blocks))

    @cached_property
    def timeline(self) -> Timeline:
        return ordered(self.entries, self.account_id, complete=self.complete)

    @property
    def weight(self) -> int:
        """About how many bytes it takes in memory."""
        return 1000 + sum(block.weight for block in self.blocks)

    @property
    def block_names(self) -> tuple[str, ...]:
        return tuple(block.name for block in self.blocks)

    def changed(self, **changes: Any) -> Self:  # noqa: ANN401 - as `dataclasses.replace`
        """Return the snapshot with other values of its fields, beside its entries."""
        return replace(self, version=token_hex(8), **changes).derived_from(self)

    def derived_from(self, other: "Snapshot") -> Self:
        """Return the snapshot, which spares itself work that the other one has done."""
        if (self.block_names, self.complete) == (other.block_names, other.complete):
            done = {name: value for name, value in vars(other).items() if name in _DERIVED}
            vars(self).update(done)
        return self

    def holding(self, entries: tuple[Entry, ...], **changes: Any) -> Self:  # noqa: ANN401
        """Return the snapshot with other entries and other values of its fields."""
        if entries == self.entries:
            return self.changed(**changes)
        blocks = blocked(entries, self.blocks)
        return replace(self, blocks=blocks, version=token_hex(8), **changes)

    def instead_of(self, known: "Snapshot") -> Self:
        """Return the snapshot in as many blocks of the one it replaces as still hold."""
        blocks = blocked(self.entries, known.blocks)
        new = replace(self, blocks=blocks, rebuilt_for=known.rebuilt_for, page=known.page)
        return new.derived_from(known).showing(self.page)

    def begins_with(self, page: Page) -> bool:
        """Say whether it is the newest page that was told again, and goes on behind it."""
        if page is not self.page or page.next is None or not page.entries:
            return False
        return self.entries[: len(page.entries)] == page.entries

    def showing(self, page: Page) -> Self:
        """Return the snapshot with that newest page, whose entries are there but once."""
        if page is self.page:
            return self
        shown = self.entries[: len(page.entries)]
        shared = page._replace(entries=shown) if shown == page.entries else NO_PAGE
        return replace(self, page=shared).derived_from(self)

    def deeper(self, entries: tuple[Entry, ...], page: Page, place: str | None) -> Self:
        """Return the snapshot with more entries at its end, up to those of the page at `place`."""
        deeper = replace(
            self,
            blocks=blocked(entries, self.blocks),
            version=token_hex(8),
            next=page.next,
            last=place,
            total=page.total,
        )
        derived: dict[str, Any] = {"entries": entries}
        if "timeline" in vars(self) and entries[: len(self.entries)] == self.entries:
            fresh = entries[len(self.entries) :]
            whole = continued(
                self.timeline, self.entries, fresh, self.account_id, complete=deeper.complete
            )
            derived |= {"timeline": whole} if whole else {}
        vars(deeper).update(derived)
        return deeper


_DERIVED = ("entries", "timeline")
