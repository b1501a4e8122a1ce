"""Reading a provider's list page by page into snapshots: refresh, extend, read anew."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from secrets import token_hex

from app.mirror.snapshot import Snapshot, extended, spliced
from app.mirror.timeline import horizon
from app.model.entries import Entry
from app.model.errors import PlaceLost, UpstreamInvalidResponse
from app.providers.page import Page

ReadPage = Callable[[str | None], Awaitable[Page]]

# After this many pages that do not meet what is known, what was read starts a new mirror.
_PAGES_TO_MEET = 5
# A page brings nothing new when many entries arrived meanwhile; not this often in a row.
_PAGES_WITHOUT_NEWS = 3


async def read_anew(read_page: ReadPage, account_id: str, now: datetime) -> Snapshot:
    """Return a new mirror of the newest page alone; raises `UpstreamError`."""
    page = await _newest(read_page)
    return _new(account_id, page.entries, page.next, now)


async def refreshed(read_page: ReadPage, known: Snapshot, now: datetime) -> Snapshot:
    """Return the known mirror with what is new at its newest end; raises `UpstreamError`.

    Where it no longer fits what the provider tells, it is replaced by what was read now.
    """
    newest: tuple[Entry, ...] = ()
    known_ids = {entry.id for entry in known.entries}
    page = await _newest(read_page)
    for _ in range(_PAGES_TO_MEET):
        newest += page.entries[page.overlap :]
        joined = spliced(newest, known.entries)
        if joined is not None:
            return replace(known, entries=joined, read_at=now, version=token_hex(8))
        has_met = any(entry.id in known_ids for entry in newest)
        if page.next is None or has_met:
            break
        page = await read_page(page.next)
    return _new(known.account_id, newest, page.next, now)


async def deepened(
    read_page: ReadPage, known: Snapshot, now: datetime, is_deep: Callable[[Snapshot], bool]
) -> AsyncIterator[Snapshot]:
    """Yield ever deeper snapshots until one is deep enough; raises `UpstreamError`.

    Where the list has moved so that its place is lost, it is read anew, once.
    """
    snapshot, without_news, may_restart = known, 0, True
    while not is_deep(snapshot) and snapshot.next is not None:
        before = len(snapshot.entries)
        try:
            snapshot = extended(snapshot, await read_page(snapshot.next), token_hex(8))
        except PlaceLost as error:
            if not may_restart:
                raise UpstreamInvalidResponse("The list keeps moving while it is read.") from error
            may_restart = False
            snapshot = await read_anew(read_page, known.account_id, now)
        yield snapshot
        without_news = 0 if len(snapshot.entries) != before else without_news + 1
        if without_news == _PAGES_WITHOUT_NEWS:
            raise UpstreamInvalidResponse("The provider repeats one page.")


def reaches(until: datetime | None) -> Callable[[Snapshot], bool]:
    """Return a test for snapshots that hold every entry at or after `until`; None is all."""

    def is_deep(snapshot: Snapshot) -> bool:
        return snapshot.complete or (until is not None and horizon(snapshot.entries) < until)

    return is_deep


async def _newest(read_page: ReadPage) -> Page:
    try:
        return await read_page(None)
    except PlaceLost as error:
        raise UpstreamInvalidResponse("The provider's newest page contradicts itself.") from error


def _new(account_id: str, entries: tuple[Entry, ...], place: str | None, now: datetime) -> Snapshot:
    return Snapshot(account_id, entries, place, now, now, token_hex(8))
