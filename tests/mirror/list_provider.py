"""Providers whose lists are in memory, paged in each of the three ways, and a mirror over one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import msgspec
from histories import ACCOUNTS, START
from msgspec.structs import replace

from app.mirror.documents import Freshness
from app.mirror.embedded import document_store
from app.mirror.mirror import Mirror
from app.mirror.store import CHANNEL
from app.model.accounts import Account, AccountStatus, ProviderKind
from app.model.entries import Entry, Stream
from app.model.errors import UpstreamError
from app.model.money import Money
from app.providers.health import Health
from app.providers.page import NO_PAGE, Capability, Page
from app.redis.changes import Changes
from app.redis.connection import Client, connect
from app.redis.guard import Guard

ACCOUNT = Account(id=ACCOUNTS[0], customer_id="c", provider="listed", linked_at=START)
CHANGES = Stream.CREDIT_CHANGES
PAGINGS = ("cursor", "page", "offset")


class TestClock:
    """A time that moves only when a test says so."""

    __test__ = False

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def same_or_new(page: Page, before: Page) -> Page:
    """Return the page that was there before where the new one tells nothing else."""
    # Until when a window is frozen is what is asked, and not told.
    told = (page.entries, (page.next or "").partition(" ")[0], page.total)
    digest = msgspec.msgpack.encode(told)
    return before if digest == before.digest else page._replace(digest=digest)


class ListProvider:
    """Serves `rows`, newest first. Pages by number have ids of their own, the others have none."""

    kind: ClassVar = ProviderKind.CLOUDREVE
    capabilities: ClassVar = frozenset(Capability)
    name = "listed"
    translation = "1"

    def __init__(self, rows: Sequence[Entry], paging: str, page_size: int = 3) -> None:
        self.health = Health(TestClock())
        self.paging = paging
        self.page_size = page_size
        self.overlap = 2
        self.calls = 0
        self.error: UpstreamError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self._serial = 0
        self.rows: list[tuple[int, Entry]] = []
        for row in reversed(rows):
            self.add(row)

    def add(self, row: Entry) -> None:
        """Put a row at the newest end."""
        self._serial += 1
        if self.paging == "page":
            row = replace(row, id=str(self._serial), has_own_id=True)
        self.rows.insert(0, (self._serial, row))

    def listed(self) -> list[Entry]:
        return [row for _, row in self.rows]

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        assert (account.id, stream) == (ACCOUNT.id, CHANGES)
        self.calls += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        reading = {"cursor": self._after, "page": self._numbered, "offset": self._skipping}
        return same_or_new(reading[self.paging](place), before)

    async def balance(self, account: Account) -> tuple[Money, ...]:
        raise NotImplementedError(account)

    async def aclose(self) -> None:
        pass

    def _after(self, place: str | None) -> Page:
        older = [row for row in self.rows if place is None or row[0] < int(place)]
        shown = older[: self.page_size]
        return Page(_entries(shown), str(shown[-1][0]) if len(older) > len(shown) else None)

    def _numbered(self, place: str | None) -> Page:
        number = int(place or 0)
        end = (number + 1) * self.page_size
        shown = self.rows[number * self.page_size : end]
        more = str(number + 1) if end < len(self.rows) else None
        return Page(_entries(shown), more, shifts=True)

    def _skipping(self, place: str | None) -> Page:
        newest = self.rows[0][0] if self.rows else 0
        offset, frozen = (int(part) for part in place.split()) if place else (0, newest)
        window = [row for row in self.rows if row[0] <= frozen]
        overlap = min(offset, self.overlap)
        shown = window[offset - overlap : offset + self.page_size]
        end = offset - overlap + len(shown)
        more = f"{end} {frozen}" if end < len(window) else None
        return Page(_entries(shown), more, overlap, len(window))


def _entries(rows: Sequence[tuple[int, Entry]]) -> tuple[Entry, ...]:
    return tuple(row for _, row in rows)


class Marks(dict[str, AccountStatus]):
    """What accounts were marked with, the latest of each."""

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        self[account_id] = status


@asynccontextmanager
async def mirror_of(
    provider: ListProvider,
    clock: TestClock,
    *,
    redis: Client | None = None,
    marks: Marks | None = None,
) -> AsyncIterator[Mirror]:
    """Open a mirror of one provider: fresh for 60 s, stale for an hour, rebuilt after a day."""
    client = redis or connect("embedded://")
    times = Freshness(timedelta(seconds=60), timedelta(hours=1), timedelta(days=1))
    guard, changes = Guard(client), Changes(client, CHANNEL)
    changes.start()
    store = document_store(guard, kept_for=timedelta(days=2))
    noted = marks if marks is not None else Marks()
    mirror = Mirror(store, changes, {"listed": provider}, {"listed": times}, noted.mark, clock)
    try:
        yield mirror
    finally:
        await mirror.aclose()
        await changes.aclose()
        await guard.aclose()
        if redis is None:
            await client.aclose()
