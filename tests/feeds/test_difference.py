"""Which entries are new in a history since it was last looked at."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from feed_histories import amounts, bare, paid, snapshot_of
from histories import change
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.feeds.difference import MOST_KNOWN, Seen, lacks_a_beginning, newest_part
from app.mirror.codecs import SnapshotCodec
from app.mirror.snapshot import Snapshot
from app.mirror.store import Found
from app.mirror.timeline import Timeline
from app.model.entries import CreditChange, Entry, PaymentStatus, Stream


@dataclass(frozen=True)
class Step:
    """Some rows arrive, so many seconds after the newest; then so many rows are known."""

    arriving: tuple[tuple[int, int], ...]
    depth: int


steps = st.lists(
    st.builds(
        Step,
        st.lists(st.tuples(st.integers(0, 1), st.integers(1, 2)), max_size=4).map(tuple),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=8,
)


class Provider:
    """A list that grows at its newest end, of which a mirror knows the newest rows."""

    def __init__(self, rows: Sequence[tuple[int, int]], *, with_ids: bool) -> None:
        self.rows: list[CreditChange] = []
        self.second = 0
        self._with_ids = with_ids
        self.arrive(rows)

    def arrive(self, rows: Sequence[tuple[int, int]]) -> list[CreditChange]:
        before = len(self.rows)
        for later, amount in rows:
            self.second += later
            own_id = f"own {len(self.rows)}" if self._with_ids else None
            self.rows.insert(0, change(self.second, amount, own_id=own_id))
        return self.rows[: len(self.rows) - before][::-1]

    def part(self, depth: int) -> Timeline:
        return newest_part(snapshot_of(self.rows[:depth], complete=depth >= len(self.rows)))


Told = Callable[[Provider, list[Step]], list[Entry]]


def told_by_looks(provider: Provider, taken: list[Step]) -> list[Entry]:
    """Return what a listener hears who begins after the first step."""
    seen: Seen | None = None
    told: list[Entry] = []
    for step in taken:
        if seen is not None:
            provider.arrive(step.arriving)
        depth = step.depth
        part = provider.part(depth)
        while seen.lacks(part) if seen else lacks_a_beginning(part):
            depth += 1
            part = provider.part(depth)
        seen, news = seen.then(part) if seen else (Seen.first(part), [])
        told += news
    return told


def told_by_comparing_ids(provider: Provider, taken: list[Step]) -> list[Entry]:
    known: set[str] | None = None
    told: list[Entry] = []
    for step in taken:
        if known is not None:
            provider.arrive(step.arriving)
        part = provider.part(step.depth)
        told += [entry for entry in part.entries if known is not None and entry.id not in known]
        known = {entry.id for entry in part.entries}
    return told


def told_by_newest_time(provider: Provider, taken: list[Step]) -> list[Entry]:
    newest: datetime | None = None
    told: list[Entry] = []
    for step in taken:
        if newest is not None:
            provider.arrive(step.arriving)
        part = provider.part(step.depth)
        told += [entry for entry in part.entries if newest and entry.at > newest]
        newest = max((entry.at for entry in part.entries), default=datetime.min.replace(tzinfo=UTC))
    return told


def arrived(provider: Provider, taken: list[Step]) -> list[CreditChange]:
    return [row for step in taken[1:] for row in provider.arrive(step.arriving)]


@pytest.mark.parametrize("with_ids", [True, False])
@given(rows=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 2)), max_size=12), taken=steps)
@example(rows=[(0, 1)] * 3, taken=[Step((), 2), Step(((0, 1),), 2), Step((), 12)])
@example(rows=[], taken=[Step((), 1), Step(((1, 1), (0, 1)), 1)])
def test_a_listener_hears_exactly_what_arrived_since_it_began_once_and_in_order(
    with_ids: bool,  # noqa: FBT001
    rows: list[tuple[int, int]],
    taken: list[Step],
) -> None:
    told = told_by_looks(Provider(rows, with_ids=with_ids), taken)

    expected = arrived(Provider(rows, with_ids=with_ids), taken)
    assert [bare(entry) for entry in told] == [bare(row) for row in expected]
    assert len({entry.id for entry in told}) == len(told)


@pytest.mark.parametrize(
    ("naive", "rows", "taken"),
    [
        # What was read deeper is told, and so is what is read again after it was lost.
        (told_by_comparing_ids, [(1, 1)] * 6, [Step((), 2), Step((), 6)]),
        (told_by_comparing_ids, [(1, 1)] * 6, [Step((), 6), Step((), 2), Step((), 6)]),
        # What came in the newest second is not told.
        (told_by_newest_time, [(1, 1)] * 3, [Step((), 3), Step(((0, 2),), 4)]),
        # Nor is what the newest page does not show.
        (told_by_comparing_ids, [(1, 1)] * 3, [Step((), 3), Step(((1, 1),) * 4, 2)]),
    ],
)
def test_a_plain_comparison_would_tell_too_much_or_too_little(
    naive: Told, rows: list[tuple[int, int]], taken: list[Step]
) -> None:
    expected = Counter(map(bare, arrived(Provider(rows, with_ids=True), taken)))

    assert Counter(map(bare, naive(Provider(rows, with_ids=True), taken))) != expected
    assert Counter(map(bare, told_by_looks(Provider(rows, with_ids=True), taken))) == expected


def test_an_entry_that_is_entered_late_is_told_where_its_time_is_known() -> None:
    rows = [change(second, 1, own_id=str(second)) for second in (50, 40, 30, 20)]
    seen = Seen.first(newest_part(snapshot_of(rows)))

    late = [change(35, 7, own_id="late"), change(15, 8, own_id="too late")]
    both = sorted([*rows, *late], key=lambda row: row.at, reverse=True)
    _, news = seen.then(newest_part(snapshot_of([*both, change(1)])))

    assert amounts(news) == [7]


@pytest.mark.parametrize("depth", [6, 2])
def test_an_entry_is_told_that_is_entered_late_where_a_look_was_deeper_or_less_deep(
    depth: int,
) -> None:
    rows = [change(second, 1, own_id=str(second)) for second in (60, 50, 40, 30, 20, 10, 1)]
    seen = Seen.first(newest_part(snapshot_of(rows[: 8 - depth])))
    seen, nothing = seen.then(newest_part(snapshot_of(rows[:depth])))

    rows.insert(4, change(25, 7, own_id="late"))
    _, news = seen.then(newest_part(snapshot_of(rows)))

    assert nothing == []
    assert amounts(news) == [7]


def test_an_entry_that_goes_and_comes_back_is_told_once() -> None:
    rows = [change(second, second, own_id=str(second)) for second in (4, 3, 2, 1)]
    seen = Seen.first(newest_part(snapshot_of(rows[1:])))

    told = []
    for shown in (rows, rows[1:], rows):
        seen, news = seen.then(newest_part(snapshot_of(shown)))
        told += news

    assert amounts(told) == [4]


def test_an_equal_row_of_the_same_second_is_another_entry() -> None:
    rows = [change(5), change(5), change(1)]
    seen = Seen.first(newest_part(snapshot_of(rows, complete=True)))

    _, news = seen.then(newest_part(snapshot_of([change(5), *rows], complete=True)))

    assert [entry.id for entry in news] == ["5/1.2"]


def test_a_payment_is_told_when_it_changes_also_one_that_was_read_deeper_meanwhile() -> None:
    rows = [paid(second) for second in range(9, 0, -1)]
    seen = Seen.first(newest_part(snapshot_of(rows[:4])))
    seen, deeper = seen.then(newest_part(snapshot_of(rows)))

    rows[1] = replace(rows[1], status=PaymentStatus.PAID, final=True)
    rows[6] = replace(rows[6], status=PaymentStatus.CANCELED, final=True)
    seen, news = seen.then(newest_part(snapshot_of(rows)))
    _, again = seen.then(newest_part(snapshot_of(rows)))

    assert deeper == again == []
    assert [(entry.id, entry.status) for entry in news if hasattr(entry, "status")] == [
        ("3", PaymentStatus.CANCELED),
        ("8", PaymentStatus.PAID),
    ]


def test_a_credit_change_is_told_once_whatever_becomes_of_it() -> None:
    rows = [change(second, 1, own_id=str(second)) for second in (3, 2, 1)]
    seen = Seen.first(newest_part(snapshot_of(rows)))

    rows[0] = replace(rows[0], reason="corrected")

    assert seen.then(newest_part(snapshot_of(rows)))[1] == []


def test_a_payment_is_not_new_for_its_place_in_its_second_nor_for_having_been_in_redis() -> None:
    rows: list[Entry] = [paid(2), paid(2, own_id="b"), paid(1)]
    before = snapshot_of(rows, complete=True)
    seen = Seen.first(newest_part(before))
    after = snapshot_of([rows[0], rows[1], paid(2, own_id="late"), rows[2]], complete=True)

    from_redis = kept(before)
    _, news = seen.then(newest_part(after))

    assert seen.then(newest_part(from_redis))[1] == []
    assert [entry.id for entry in news] == ["late"]


@given(st.integers(0, 3))
def test_what_is_known_stays_bounded_however_long_one_listens(rounds: int) -> None:
    rows = [change(second, 1, own_id=str(second)) for second in range(MOST_KNOWN + 50, 0, -1)]
    seen = Seen.first(newest_part(snapshot_of(rows, complete=True)))

    told = 0
    for turn in range(rounds):
        arriving = [change(5000 + turn * 300 + n, 1, own_id=f"{turn} {n}") for n in range(300)]
        rows = [*reversed(arriving), *rows]
        seen, news = seen.then(newest_part(snapshot_of(rows, complete=True)))
        told += len(news)

    assert told == 300 * rounds
    assert len(seen.marks) <= MOST_KNOWN
    assert seen.floor is not None


def test_the_newest_part_of_a_history_is_the_end_of_its_whole_order() -> None:
    rows = [change(second // 3, second % 2) for second in range(3 * MOST_KNOWN, 0, -1)]
    whole = snapshot_of(rows, complete=True)

    part = newest_part(whole)

    assert part.horizon == rows[MOST_KNOWN - 1].at
    assert MOST_KNOWN - 3 <= len(part.entries) < MOST_KNOWN
    assert list(part.entries) == list(whole.timeline.entries[-len(part.entries) :])


def test_local_times_that_occur_twice_are_told_in_the_order_they_were() -> None:
    second_pass = timedelta(hours=1)

    def autumn(second: int, own_id: str) -> CreditChange:
        row = change(second, 1, own_id=own_id)
        return replace(row, at_second=row.at + second_pass)

    rows = [autumn(1800, "a"), change(10, 1, own_id="before")]
    seen = Seen.first(newest_part(snapshot_of(rows, complete=True)))

    # The clock was put back between the two.
    rows = [autumn(600, "b"), *rows]
    _, news = seen.then(newest_part(snapshot_of(rows, complete=True)))

    assert [(entry.id, entry.at) for entry in news] == [("b", change(600).at + second_pass)]


def kept(snapshot: Snapshot) -> Snapshot:
    """Return a mirror of payments as another process finds it in Redis."""
    codec = SnapshotCodec(Stream.PAYMENTS)
    written = codec.encoded(snapshot, "1", None)
    blocks = {name: block for name, block in written.blocks.items() if block is not None}
    found = Found(written.version, written.state, tuple(blocks), blocks, None, "", is_ours=False)
    read = codec.decoded(found, "1", None)
    assert read
    return read
