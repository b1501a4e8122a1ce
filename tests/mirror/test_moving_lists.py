"""Lists that are edited between any two calls: entries come, go, are back-dated and corrected."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import pytest
from histories import change, newest_first
from hypothesis import given
from hypothesis import strategies as st
from list_provider import (
    ACCOUNT,
    CHANGES,
    PAGINGS,
    ListProvider,
    TestClock,
    mirror_of,
    same_or_new,
)
from msgspec.structs import replace
from reading import seen, settled

from app.history.window import Window
from app.mirror.mirror import Mirror
from app.mirror.timeline import Key
from app.model.accounts import Account
from app.model.entries import CreditChange, Entry, Stream
from app.model.errors import UpstreamError
from app.model.money import Money, UnitKind
from app.providers.page import NO_PAGE, Page

EVERY_WAY = (*PAGINGS, "page with balances", "sliding offset")
each_way = pytest.mark.parametrize("way", EVERY_WAY)
Edit = Callable[["MovingList"], None]


class MovingList(ListProvider):
    """A list whose edits happen before the calls with their numbers, at the latest when all do."""

    def __init__(self, rows: Sequence[Entry], way: str, page_size: int) -> None:
        super().__init__(rows, next(one for one in PAGINGS if one in way), page_size)
        self.has_balances = "balances" in way
        self.slides = "sliding" in way
        self.uncounted = 0
        self.limit: int | None = None
        self.failure: tuple[int, UpstreamError] | None = None
        self._is_held = asyncio.Event()
        self.plan: list[tuple[int, Edit]] = []
        # The instants from which a row was taken away.
        self.shrunk: set[datetime] = set()
        self.ever = Counter(self.ids())
        self.always = Counter(self.ids())

    def ids(self) -> list[str]:
        return [row.id for row in self.listed()]

    def edit(self, *, every: bool = False) -> None:
        """Do the edits whose time has come."""
        while self.plan and (every or self.plan[0][0] <= self.calls):
            _, edit = self.plan.pop(0)
            edit(self)
            now = Counter(self.ids())
            self.ever |= now
            self.always &= now

    def hold_after(self, calls: int) -> None:
        """Leave one call, after so many, without an answer until the gate is open."""
        self.limit = calls
        self.gate.clear()

    async def held(self) -> None:
        """Return when that call has come."""
        await self._is_held.wait()

    def fail_after(self, calls: int, error: UpstreamError) -> None:
        self.failure = (calls, error)

    def insert(self, place: int, amount: int) -> None:
        """Put a row before some newer ones, with the time of its older neighbour."""
        place = min(place, len(self.rows))
        older = self.rows[place][1].at if place < len(self.rows) else change(-1).at
        if place == 0:
            self.add(replace(change(0, amount), at=older, id=f"{older}/{amount}"))
            return
        self._serial += 1
        row = replace(change(0, amount), at=older, id=f"{older}/{amount}")
        if self.paging == "page":
            row = replace(row, id=f"late {self._serial}", has_own_id=True)
        above = self.rows[place - 1][0]
        below = self.rows[place][0] if place < len(self.rows) else 0
        self.rows.insert(place, ((above + below) / 2, row))  # type: ignore[arg-type]

    def remove(self, place: int) -> None:
        if self.rows:
            _, row = self.rows.pop(place % len(self.rows))
            self.shrunk.add(row.at)

    def correct(self, place: int, amount: int) -> None:
        if self.rows:
            serial, row = self.rows[place % len(self.rows)]
            new_id = row.id if row.has_own_id else f"{row.id} corrected {amount}"
            corrected = replace(row, amount=points(amount), id=new_id)
            self.rows[place % len(self.rows)] = (serial, corrected)

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        assert (account.id, stream) == (ACCOUNT.id, CHANGES)
        self.edit()
        if self.failure and self.calls >= self.failure[0]:
            raise self.failure[1]
        if self.limit is not None and self.calls >= self.limit:
            self.limit = None
            self._is_held.set()
            await self.gate.wait()
        if place and self.slides:
            offset = place.split()[0]
            place = f"{offset} {max((row[0] for row in self.rows), default=0)}"
        self.calls += 1
        page = {"cursor": self._after, "page": self._numbered, "offset": self._skipping}[
            self.paging
        ](place)
        if self.has_balances:
            page = page._replace(entries=self._balanced(page.entries))
        return same_or_new(page, before)

    def _after(self, place: str | None) -> Page:
        older = [row for row in self.rows if place is None or row[0] < float(place)]
        shown = older[: self.page_size]
        more = str(shown[-1][0]) if len(older) > len(shown) else None
        return Page(tuple(row for _, row in shown), more)

    def _skipping(self, place: str | None) -> Page:
        newest = self.rows[0][0] if self.rows else 0
        offset, frozen = place.split() if place else ("0", str(newest))
        window = [row for row in self.rows if row[0] <= float(frozen)]
        begin = int(offset) - min(int(offset), self.overlap)
        shown = window[begin : int(offset) + self.page_size]
        end = begin + len(shown)
        more = f"{end} {frozen}" if end < len(window) else None
        entries = tuple(row for _, row in shown)
        return Page(entries, more, int(offset) - begin, len(window) + self.uncounted)

    def _balanced(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """Give each row the balance after it, as all rows that are older make it."""
        balances, balance = {}, Decimal(0)
        for row in reversed(self.listed()):
            balance += row.amount.amount
            balances[row.id] = points(int(balance))
        return tuple(
            replace(row, balance_after=balances[row.id])
            for row in entries
            if isinstance(row, CreditChange)
        )


# By number alone, a page and the one before it show that nothing moved only if two edits that
# cancel each other do not fall between the two calls.
APART = {"page": 4, "page with balances": 4}


def points(amount: int) -> Money:
    return Money(Decimal(amount), "points", UnitKind.POINTS)


def spaced(plan: list[tuple[int, Edit]], way: str) -> list[tuple[int, Edit]]:
    """Move the edits of a plan as far apart as the way of paging needs."""
    later: list[tuple[int, Edit]] = []
    for call, edit in plan:
        later.append((max(call, later[-1][0] + APART.get(way, 0)) if later else call, edit))
    return later


def unlike(rows: list[CreditChange], way: str) -> list[CreditChange]:
    """Make no run of rows add up to zero, as balances cannot tell of such a one."""
    if "balances" not in way:
        return rows
    return [replace(row, amount=points(1000 * 3**place)) for place, row in enumerate(rows)]


def edits() -> st.SearchStrategy[list[tuple[int, Edit]]]:
    places, amounts = st.integers(0, 25), st.integers(1, 3)
    one = st.one_of(
        st.builds(lambda p, a: lambda it: it.insert(p, a), places, amounts),
        st.builds(lambda a: lambda it: it.insert(0, a), amounts),
        st.builds(lambda p: lambda it: it.remove(p), places),
        st.builds(lambda p, a: lambda it: it.correct(p, a + 10), places, amounts),
    )
    plan = st.lists(st.tuples(st.integers(1, 12), one), min_size=1, max_size=3)
    return plan.map(lambda plan: sorted(plan, key=lambda step: step[0]))


async def paged(mirror: Mirror, size: int) -> tuple[list[Key], list[Entry]]:
    """Return all rows as a client sees them that pages through the list."""
    keys: list[Key] = []
    entries: list[Entry] = []
    while True:
        found = await seen(mirror, Window(size, after=keys[-1] if keys else None))
        keys += [row.key for row in found.rows]
        entries += [row.entry for row in found.rows]
        if not found.has_next:
            return keys, entries


def ids_of(entries: Iterable[Entry]) -> Counter[str]:
    """Count entries by what their provider gave, without the ordinals of equal rows."""
    return Counter(
        entry.id if entry.has_own_id else entry.id.rpartition(".")[0] for entry in entries
    )


@each_way
@given(
    rows=newest_first(most=24, seconds=40),
    page_size=st.integers(2, 6),
    size=st.integers(1, 7),
    plan=edits(),
)
async def test_an_entry_that_is_there_all_the_time_is_shown_once(
    way: str, rows: list[CreditChange], page_size: int, size: int, plan: list[tuple[int, Edit]]
) -> None:
    provider, clock = MovingList(unlike(rows, way), way, page_size), TestClock()
    provider.plan = spaced(plan, way)
    async with mirror_of(provider, clock) as mirror:
        keys, entries = await paged(mirror, size)

    shown = ids_of(entries)
    assert keys == sorted(keys, reverse=True)
    assert not provider.always - shown
    # A cursor counts the rows of its instant from the oldest, so that arrivals change nothing.
    # Where one of them goes away, the next above it has its place, and may be shown again.
    repeated = shown - provider.ever
    assert {entry.at for entry in entries if ids_of([entry]) & repeated} <= provider.shrunk
    assert repeated.total() <= len(provider.shrunk)


@each_way
@given(rows=newest_first(most=24, seconds=40), page_size=st.integers(2, 6), plan=edits())
async def test_a_history_is_as_at_its_provider_after_it_was_read_anew(
    way: str, rows: list[CreditChange], page_size: int, plan: list[tuple[int, Edit]]
) -> None:
    provider, clock = MovingList(unlike(rows, way), way, page_size), TestClock()
    provider.plan = spaced(plan, way)
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 5)
        provider.edit(every=True)
        clock.move(25 * 3600)
        await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)
        _, entries = await paged(mirror, 5)

    assert ids_of(entries) == Counter(provider.ids())
    assert [entry.amount for entry in entries] == [row.amount for row in in_order(provider)]


def in_order(provider: ListProvider) -> list[Entry]:
    return sorted(provider.listed(), key=lambda row: row.at, reverse=True)
