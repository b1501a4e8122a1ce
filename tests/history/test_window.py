"""Windows over merged histories: always what a merge of everything would show."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

from histories import ACCOUNTS, START, newest_first
from hypothesis import given
from hypothesis import strategies as st

from app.history.filter import CreditChangeFilter, Direction
from app.history.window import Missing, Row, Slice, Window, count_of, window_of
from app.mirror.blocks import blocked
from app.mirror.crawl import reaches
from app.mirror.snapshot import Snapshot
from app.mirror.timeline import Key, Timeline, ordered
from app.model.entries import CreditChange, CreditChangeKind

ALL = CreditChangeFilter()


@dataclass
class Reader:
    """Providers' lists, read page by page as far as windows ask."""

    lists: dict[str, list[CreditChange]]
    page_size: int
    depth: dict[str, int] = field(default_factory=dict)
    pages: list[tuple[str, Timeline]] = field(default_factory=list)

    def timeline(self, account: str) -> Timeline:
        rows = self.lists[account]
        depth = self.depth.get(account, 0)
        read = rows[:depth]
        return ordered(read, account, complete=account in self.depth and depth >= len(rows))

    def window(self, chosen: CreditChangeFilter, window: Window) -> Slice:
        while True:
            timelines = {account: self.timeline(account) for account in self.lists}
            found = window_of(timelines, chosen, window)
            if isinstance(found, Slice):
                return found
            self.deepen(found)

    def deepen(self, missing: Missing) -> None:
        is_deep = reaches(missing.back_to)
        for account in missing.accounts:
            while True:
                self.pages.append((account, self.timeline(account)))
                self.depth[account] = self.depth.get(account, 0) + self.page_size
                rows = self.lists[account]
                read = tuple(rows[: self.depth[account]])
                end = None if self.depth[account] >= len(rows) else "on"
                if is_deep(Snapshot(account, blocked(read), end, START, START, "")):
                    break


def merged(lists: dict[str, list[CreditChange]], chosen: CreditChangeFilter) -> list[Row]:
    """Return all that is asked for, oldest first, merged by brute force."""
    keep = chosen.keeps()
    rows: list[Row] = []
    for account, entries in lists.items():
        timeline = ordered(entries, account, complete=True)
        pairs = zip(timeline.keys, timeline.entries, strict=True)
        rows += [Row(key, entry) for key, entry in pairs if keep(entry)]
    return sorted(rows, key=lambda row: row.key)


seconds = st.none() | st.integers(0, 13)


@st.composite
def filters(draw: st.DrawFn) -> CreditChangeFilter:
    start, length = draw(seconds), draw(st.none() | st.integers(0, 13))
    kinds = draw(st.none() | st.frozensets(st.sampled_from(CreditChangeKind), max_size=2))
    begin = None if start is None else START + timedelta(seconds=start)
    return CreditChangeFilter(
        start=begin,
        end=None if length is None else (begin or START) + timedelta(seconds=length),
        kinds=kinds,
        direction=draw(st.none() | st.sampled_from(Direction)),
        text=draw(st.sampled_from([None, "EVEN", "odd"])),
    )


lists = st.lists(newest_first(), min_size=1, max_size=4).map(
    lambda drawn: dict(zip(ACCOUNTS, drawn, strict=False))
)


@given(
    lists=lists,
    chosen=filters(),
    page_size=st.integers(1, 7),
    size=st.integers(1, 9),
    oldest_first=st.booleans(),
    backwards=st.booleans(),
)
def test_concatenated_pages_are_the_merge_of_everything(
    lists: dict[str, list[CreditChange]],
    chosen: CreditChangeFilter,
    page_size: int,
    size: int,
    oldest_first: bool,  # noqa: FBT001
    backwards: bool,  # noqa: FBT001
) -> None:
    expected = merged(lists, chosen) if oldest_first else merged(lists, chosen)[::-1]
    reader = Reader(lists, page_size)
    rows: list[Row] = []
    place: Key | None = None
    while True:
        window = Window(size, from_end=backwards, oldest_first=oldest_first)
        window = replace(window, before=place) if backwards else replace(window, after=place)
        found = reader.window(chosen, window)
        rows = [*found.rows, *rows] if backwards else [*rows, *found.rows]

        seen = len(rows)
        is_more = seen < len(expected)
        is_behind = seen > len(found.rows)
        if backwards:
            assert rows == expected[len(expected) - seen :]
            assert (found.has_previous, found.has_next) == (is_more, is_behind)
        else:
            assert rows == expected[:seen]
            assert (found.has_previous, found.has_next) == (is_behind, is_more)
        if not is_more:
            break
        place = found.rows[0].key if backwards else found.rows[-1].key


@given(
    lists=lists,
    chosen=st.just(ALL) | filters(),
    page_size=st.integers(1, 7),
    data=st.data(),
    window=st.builds(Window, st.integers(0, 9), from_end=st.booleans(), oldest_first=st.booleans()),
)
def test_any_window_between_any_places_is_a_slice_of_the_merge(
    lists: dict[str, list[CreditChange]],
    chosen: CreditChangeFilter,
    page_size: int,
    data: st.DataObject,
    window: Window,
) -> None:
    expected = merged(lists, chosen) if window.oldest_first else merged(lists, chosen)[::-1]
    places = st.none() if not expected else st.none() | st.integers(0, len(expected) - 1)
    after, before = data.draw(places), data.draw(places)
    window = replace(
        window,
        after=None if after is None else expected[after].key,
        before=None if before is None else expected[before].key,
    )
    low = 0 if after is None else after + 1
    high = len(expected) if before is None else before
    between = expected[low:high]
    if window.from_end:
        rows = between[len(between) - window.count :] if window.count < len(between) else between
    else:
        rows = between[: window.count]

    depths = data.draw(st.fixed_dictionaries({account: st.integers(0, 12) for account in lists}))
    read_before = {account: depth for account, depth in depths.items() if depth}
    found = Reader(lists, page_size, read_before).window(chosen, window)

    # A page without rows stands where its first row, or read backwards its last one, would be.
    place = high if window.from_end else low
    first = expected.index(rows[0]) if rows else place
    end = expected.index(rows[-1]) + 1 if rows else place
    assert found == Slice(rows, has_previous=first > 0, has_next=end < len(expected))


@given(lists=lists, page_size=st.integers(1, 7), size=st.integers(1, 30))
def test_a_page_is_read_only_where_the_merge_needs_it(
    lists: dict[str, list[CreditChange]], page_size: int, size: int
) -> None:
    reader = Reader(lists, page_size)

    found = reader.window(ALL, Window(size))

    if not (len(found.rows) == size and found.has_next):
        return
    # What is not known may come before the last row shown, or be the first one after it.
    following = merged(lists, ALL)[::-1][size]
    for _, known in reader.pages:
        assert known.horizon is not None
        assert known.horizon >= following.entry.at


@given(lists=lists, chosen=filters(), page_size=st.integers(1, 7))
def test_the_count_is_known_when_every_source_is(
    lists: dict[str, list[CreditChange]], chosen: CreditChangeFilter, page_size: int
) -> None:
    reader = Reader(lists, page_size)
    whole = {account: ordered(rows, account, complete=True) for account, rows in lists.items()}
    reader.window(ALL, Window(1))
    partly = {account: reader.timeline(account) for account in lists}

    assert count_of(whole, chosen) == len(merged(lists, chosen))
    if any(timeline.horizon for timeline in partly.values()):
        assert count_of(partly, chosen) is None


@given(lists=lists)
def test_the_order_is_total_and_each_place_is_one_row(
    lists: dict[str, list[CreditChange]],
) -> None:
    keys = [row.key for row in merged(lists, ALL)]

    assert all(low < high for low, high in pairwise(keys))
