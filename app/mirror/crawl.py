"""Reading a provider's list page by page into snapshots: refresh, extend, read anew."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex

from app.mirror.snapshot import Snapshot, extended, spliced
from app.mirror.timeline import horizon
from app.model.entries import Entry, Payment
from app.model.errors import PlaceLost, UpstreamInvalidResponse
from app.providers.page import Page

ReadPage = Callable[[str | None], Awaitable[Page]]

# A refresh reads no more pages than this. If they do not meet what is known by then, they start a
# new mirror; payments further back that may still change are read when the mirror is rebuilt.
_PAGES_TO_MEET = 5
# What has not been paid for so long hardly ever will be; some orders stay open for years.
_MAY_CHANGE_FOR = timedelta(days=30)
# The same page comes again when a page of entries arrived meanwhile; not this often in a row.
_EQUAL_PAGES = 3


async def read_anew(read_page: ReadPage, account_id: str, now: datetime) -> Snapshot:
    """Return a new mirror of the newest page alone; raises `UpstreamError`."""
    try:
        page = await read_page(None)
    except PlaceLost as error:
        raise UpstreamInvalidResponse("The provider's newest page contradicts itself.") from error
    return Snapshot(account_id, page.entries, page.next, now, now, token_hex(8))


async def refreshed(read_page: ReadPage, known: Snapshot, now: datetime) -> Snapshot:
    """Return the known mirror with what is new at its newest end; raises `UpstreamError`.

    Payments that may still change are read again too. Where the mirror no longer fits what the
    provider tells, it is replaced by what was read now.
    """
    known_ids = {entry.id for entry in known.entries}
    newest = await read_anew(read_page, known.account_id, now)
    joined = None
    for _ in range(_PAGES_TO_MEET):
        joined = spliced(newest.entries, known.entries)
        if joined is None:
            is_done = any(entry.id in known_ids for entry in newest.entries)
        else:
            is_done = not _may_change(joined[len(newest.entries) :], now)
        if is_done or newest.next is None:
            break
        try:
            newest = extended(newest, await read_page(newest.next), token_hex(8))
        except PlaceLost:
            break
    if joined is None:
        return newest
    return replace(known, entries=joined, read_at=now, version=token_hex(8))


def _may_change(entries: Sequence[Entry], now: datetime) -> bool:
    return any(
        isinstance(entry, Payment) and not entry.final and now - entry.at < _MAY_CHANGE_FOR
        for entry in entries
    )


async def deepened(
    read_page: ReadPage, known: Snapshot, now: datetime, is_deep: Callable[[Snapshot], bool]
) -> AsyncIterator[Snapshot]:
    """Yield ever deeper snapshots until one is deep enough; raises `UpstreamError`.

    Where the list has moved so that its place is lost, it is read anew, once.
    """
    snapshot, may_restart = known, True
    repeats = _Repeats()
    while not is_deep(snapshot) and snapshot.next is not None:
        try:
            page = await read_page(snapshot.next)
            repeats.refuse(page, snapshot.next)
            snapshot = extended(snapshot, page, token_hex(8))
        except PlaceLost as error:
            if not may_restart:
                raise UpstreamInvalidResponse("The list keeps moving while it is read.") from error
            may_restart = False
            snapshot = await read_anew(read_page, known.account_id, now)
        yield snapshot


def reaches(until: datetime | None) -> Callable[[Snapshot], bool]:
    """Return a test for snapshots that hold every entry at or after `until`; None is all."""

    def is_deep(snapshot: Snapshot) -> bool:
        return snapshot.complete or (until is not None and horizon(snapshot.entries) < until)

    return is_deep


class _Repeats:
    """Notices a provider that answers one page for ever, whatever place it is asked for."""

    def __init__(self) -> None:
        self._last: list[str] = []
        self._times = 0

    def refuse(self, page: Page, place: str) -> None:
        """Raise `UpstreamInvalidResponse` where going on would never end."""
        # Equal rows without ids are different rows; only ids tell that a page comes again.
        ids = [entry.id for entry in page.entries if entry.has_own_id]
        self._times = self._times + 1 if ids and ids == self._last else 0
        self._last = ids
        if page.next == place or self._times == _EQUAL_PAGES:
            raise UpstreamInvalidResponse("The provider repeats one page.")
