"""Reading a provider's list page by page into snapshots: the newest page, refresh, deeper, anew."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from app.mirror.joining import continued_by, followed, spliced, unseen
from app.mirror.snapshot import Snapshot
from app.mirror.timeline import horizon
from app.model.entries import Entry, Payment
from app.model.errors import PlaceLost, UpstreamInvalidResponse
from app.providers.page import Page

ReadPage = Callable[[str | None], Awaitable[Page]]
IsDeep = Callable[[Snapshot], bool]

# A refresh reads no more pages than this. If they do not meet what is known by then, it is read
# anew; payments further back that may still change are read when it is rebuilt.
_PAGES_TO_MEET = 5
# What has not been paid for so long hardly ever will be; some orders stay open for years.
_MAY_CHANGE_FOR = timedelta(days=30)
# A list that moves too far to go on is begun again, so often.
_TIMES_ANEW = 3
# The same page comes again when a page of entries arrived meanwhile; not this often in a row.
_EQUAL_PAGES = 3


async def newest(read_page: ReadPage, account_id: str, now: datetime) -> Snapshot:
    """Return a new mirror of the newest page alone; raises `UpstreamError`."""
    return Snapshot.newest(account_id, await _newest_page(read_page), now)


async def refreshed(read_page: ReadPage, known: Snapshot, now: datetime) -> Snapshot | None:
    """Return the known mirror with what is new at its newest end; raises `UpstreamError`.

    Payments that may still change are read again too. None where the mirror no longer fits what the
    provider tells, so that it has to be read anew.
    """
    page = await _newest_page(read_page)
    if known.begins_with(page) and not _may_change(known.entries[len(page.entries) :], now):
        return _counted(known.changed(read_at=now), page.total)
    read = Snapshot.newest(known.account_id, page, now)
    for turn in range(_PAGES_TO_MEET):
        joined = spliced(read.entries, known.entries)
        if read.complete or (joined is None and is_as_deep_as(read, known)):
            return read.instead_of(known)
        if joined and not _may_change(joined[len(read.entries) :], now):
            break
        if turn < _PAGES_TO_MEET - 1:
            try:
                expected = joined[len(read.entries) :][:1] if joined else ()
                read = await _further(read_page, read, expected=next(iter(expected), None))
            except PlaceLost:
                break
    if joined is None:
        return None
    return _counted(known.holding(joined, read_at=now).showing(page), page.total)


async def _newest_page(read_page: ReadPage) -> Page:
    try:
        return await read_page(None)
    except PlaceLost as error:
        raise UpstreamInvalidResponse("The provider's newest page contradicts itself.") from error


def is_as_deep_as(one: Snapshot, other: Snapshot) -> bool:
    """Say whether one snapshot holds every entry that is as late as the earliest of the other."""
    if one.complete or other.complete:
        return one.complete
    return horizon(one.entries) <= horizon(other.entries)


def _counted(snapshot: Snapshot, counted: int | None) -> Snapshot | None:
    """Return the snapshot unless the provider has come to count other entries than are in it."""
    if counted is None or not snapshot.complete:
        return snapshot
    return snapshot if counted - len(snapshot.entries) == snapshot.surplus else None


def _may_change(entries: Sequence[Entry], now: datetime) -> bool:
    return any(
        isinstance(entry, Payment) and not entry.final and now - entry.at < _MAY_CHANGE_FOR
        for entry in entries
    )


async def deepened(
    read_page: ReadPage, known: Snapshot, is_deep: IsDeep
) -> AsyncIterator[Snapshot]:
    """Yield ever deeper snapshots until one is deep enough.

    Raises `UpstreamError`, and `PlaceLost` where the list has moved so that it has to be read anew.
    """
    snapshot = known
    repeats = _Repeats()
    while not is_deep(snapshot) and snapshot.next is not None:
        snapshot = await _further(read_page, snapshot, repeats)
        yield snapshot


async def anew(read_page: ReadPage, account_id: str, now: datetime, is_deep: IsDeep) -> Snapshot:
    """Return a history read anew from its newest end, as deep as said; raises `UpstreamError`."""
    for _ in range(_TIMES_ANEW):
        snapshot = await newest(read_page, account_id, now)
        with suppress(PlaceLost):
            async for deeper in deepened(read_page, snapshot, is_deep):
                snapshot = deeper
            return _with_surplus(snapshot)
    raise UpstreamInvalidResponse("The list keeps moving while it is read.")


def _with_surplus(snapshot: Snapshot) -> Snapshot:
    if snapshot.complete and snapshot.total is not None:
        return snapshot.changed(surplus=snapshot.total - len(snapshot.entries))
    return snapshot


def reaches(until: datetime | None) -> IsDeep:
    """Return a test for snapshots that hold every entry at or after `until`; None is all."""

    def is_deep(snapshot: Snapshot) -> bool:
        return snapshot.complete or (until is not None and horizon(snapshot.entries) < until)

    return is_deep


async def _further(
    read_page: ReadPage,
    snapshot: Snapshot,
    repeats: "_Repeats | None" = None,
    expected: Entry | None = None,
) -> Snapshot:
    """Return the snapshot with its next page.

    Where the page does not prove to be the next one, the page before is read again, which shows
    what moved between the two; `PlaceLost` where it does not.
    """
    page = None
    with suppress(PlaceLost):
        page = await read_page(snapshot.next)
        if repeats:
            repeats.refuse(page, snapshot.next)
        entries = followed(snapshot.entries, page, snapshot.total, expected)
        if entries is not None:
            return snapshot.deeper(entries, page, snapshot.next)
    before = await read_page(snapshot.last)
    entries = continued_by(snapshot.entries, before.entries)
    if entries is None:
        raise PlaceLost("The page before does not show where the list continues.")
    if page is None or page.overlap or before.next is None:
        if (entries, before.next, before.total) == (
            snapshot.entries,
            snapshot.next,
            snapshot.total,
        ):
            raise PlaceLost("The page before leads to the same place again.")
        return snapshot.deeper(entries, before, snapshot.last)
    return snapshot.deeper(unseen(entries, page.entries), page, snapshot.next)


class _Repeats:
    """Notices a provider that answers one page for ever, whatever place it is asked for."""

    def __init__(self) -> None:
        self._last: list[str] = []
        self._times = 0

    def refuse(self, page: Page, place: str | None) -> None:
        """Raise `UpstreamInvalidResponse` where going on would never end."""
        # Equal rows without ids are different rows; only ids tell that a page comes again.
        ids = [entry.id for entry in page.entries if entry.has_own_id]
        self._times = self._times + 1 if ids and ids == self._last else 0
        self._last = ids
        if page.next == place or self._times == _EQUAL_PAGES:
            raise UpstreamInvalidResponse("The provider repeats one page.")
