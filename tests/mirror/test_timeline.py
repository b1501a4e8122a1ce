"""The total order of one account, and local times read by their place in the list."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from histories import ACCOUNTS, START, change, newest_first
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.mirror.timeline import NOTHING_READ, continued, ordered
from app.model.entries import CreditChange
from app.providers.payload import local_instants

ACCOUNT = ACCOUNTS[0]
SWITCHES = [(ZoneInfo("Europe/Stockholm"), "stockholm"), (ZoneInfo("Europe/Prague"), "prague")]


def local(text: str, zone: ZoneInfo) -> CreditChange:
    first, second = local_instants(text, zone)
    return replace(change(0), id=text, at=first, at_second=second, zone_assumed=True)


def times(newest: list[str], zone: ZoneInfo, *, complete: bool = True) -> list[str]:
    """Return the UTC times of local times listed newest first, in the order of the list."""
    timeline = ordered([local(text, zone) for text in newest], ACCOUNT, complete=complete)
    return [f"{entry.at:%H:%M}" for entry in reversed(timeline.entries)]


@given(rows=newest_first(), depth=st.integers(0, 12))
def test_what_is_settled_stays_as_it_is_when_more_is_read(
    rows: list[CreditChange], depth: int
) -> None:
    whole = ordered(rows, ACCOUNT, complete=True)

    part = ordered(rows[:depth], ACCOUNT, complete=depth > len(rows))

    held_back = len(whole.keys) - len(part.keys)
    assert part.keys == whole.keys[held_back:]
    assert part.entries == whole.entries[held_back:]


@given(rows=newest_first(), arrived=newest_first(most=4))
def test_what_is_known_keeps_its_ids_and_places_when_entries_arrive(
    rows: list[CreditChange], arrived: list[CreditChange]
) -> None:
    before = ordered(rows, ACCOUNT, complete=True)
    newest = rows[0].at if rows else START
    new = [replace(row, at=newest + (row.at - START)) for row in arrived]

    after = ordered([*new, *rows], ACCOUNT, complete=True)

    assert after.keys[: len(rows)] == before.keys
    assert after.entries[: len(rows)] == before.entries


@given(rows=newest_first())
def test_ids_are_unique_and_equal_rows_are_kept(rows: list[CreditChange]) -> None:
    timeline = ordered(rows, ACCOUNT, complete=True)

    assert len({entry.id for entry in timeline.entries}) == len(rows)
    assert all(low < high for low, high in pairwise(timeline.keys))


def test_entries_of_one_second_are_held_back_while_more_of_it_may_follow() -> None:
    rows = [change(3), change(2), change(1), change(1)]

    timeline = ordered(rows, ACCOUNT, complete=False)

    assert [entry.at for entry in timeline.entries] == [change(2).at, change(3).at]
    assert timeline.horizon == change(1).at
    assert timeline.complete_from == change(2).at


def test_nothing_is_known_before_anything_was_read() -> None:
    assert ordered([], ACCOUNT, complete=False).horizon == NOTHING_READ
    assert ordered([], ACCOUNT, complete=True).horizon is None


def test_a_list_out_of_order_is_brought_into_the_order_of_its_times() -> None:
    rows = [change(5), change(1, 2), change(4)]

    timeline = ordered(rows, ACCOUNT, complete=True)

    assert [entry.amount.amount for entry in timeline.entries] == [2, 1, 1]


@pytest.mark.parametrize("zone", [zone for zone, _ in SWITCHES], ids=[i for _, i in SWITCHES])
class TestAutumn:
    """On 25 October 2026 the hour from 02:00 to 03:00 occurs twice, from 00:00 and 01:00 UTC."""

    def test_a_repeated_time_is_the_first_of_the_two_where_nothing_decides(
        self, zone: ZoneInfo
    ) -> None:
        newest = ["2026-10-25 03:10:00", "2026-10-25 02:40:00", "2026-10-25 01:50:00"]

        assert times(newest, zone) == ["02:10", "00:40", "23:50"]

    def test_the_place_in_the_list_decides_where_the_clock_goes_back(self, zone: ZoneInfo) -> None:
        newest = [
            "2026-10-25 03:00:00",
            "2026-10-25 02:55:00",
            "2026-10-25 02:20:00",
            "2026-10-25 02:50:00",
            "2026-10-25 02:30:00",
            "2026-10-25 01:59:59",
        ]

        assert times(newest, zone) == ["02:00", "01:55", "01:20", "00:50", "00:30", "23:59"]

    def test_equal_repeated_times_do_not_go_back(self, zone: ZoneInfo) -> None:
        newest = ["2026-10-25 02:30:00", "2026-10-25 02:30:00"]

        assert times(newest, zone) == ["00:30", "00:30"]

    def test_repeated_times_are_held_back_while_the_hour_may_go_on(self, zone: ZoneInfo) -> None:
        newest = ["2026-10-25 03:00:00", "2026-10-25 02:55:00", "2026-10-25 02:20:00"]

        assert times(newest, zone, complete=False) == ["02:00"]
        assert times(newest, zone, complete=True) == ["02:00", "00:55", "00:20"]
        assert times([*newest, "2026-10-25 01:00:00"], zone, complete=False) == [
            "02:00",
            "00:55",
            "00:20",
        ]

    def test_another_autumn_starts_anew(self, zone: ZoneInfo) -> None:
        newest = ["2026-10-25 02:10:00", "2025-10-26 02:50:00"]

        assert times(newest, zone) == ["00:10", "00:50"]

    def test_a_time_that_never_existed_is_moved_on_by_the_gap(self, zone: ZoneInfo) -> None:
        newest = ["2026-03-29 03:00:00", "2026-03-29 02:30:00", "2026-03-29 01:59:59"]

        timeline = ordered([local(text, zone) for text in newest], ACCOUNT, complete=True)

        assert timeline.entries[-1].at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

    @given(minutes=st.lists(st.integers(0, 239), max_size=12))
    def test_a_real_sequence_is_read_in_its_order(self, zone: ZoneInfo, minutes: list[int]) -> None:
        start = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
        instants = sorted((start + timedelta(minutes=each) for each in minutes), reverse=True)
        texts = [f"{each.astimezone(zone):%Y-%m-%d %H:%M:%S}" for each in instants]

        timeline = ordered([local(text, zone) for text in texts], ACCOUNT, complete=True)

        read = [entry.id for entry in reversed(timeline.entries)]
        assert [text.rpartition(".")[0] for text in read] == texts


def test_the_controls_differ_from_a_naive_reading() -> None:
    zone = SWITCHES[0][0]
    naive, _ = local_instants("2026-10-25 02:55:00", zone)

    assert times(["2026-10-25 02:55:00", "2026-10-25 02:50:00"], zone) == ["00:55", "00:50"]
    assert times(["2026-10-25 02:50:00", "2026-10-25 02:55:00"], zone)[0] == "01:50"
    assert naive == datetime(2026, 10, 25, 0, 55, tzinfo=UTC)


@st.composite
def lists(draw: st.DrawFn) -> list[CreditChange]:
    """Draw lists in order, out of order, and over the hours around an autumn switch."""
    kind = draw(st.sampled_from(["in order", "out of order", "autumn"]))
    if kind == "autumn":
        zone = SWITCHES[0][0]
        start = datetime(2026, 10, 24, 23, 0, tzinfo=UTC)
        minutes = draw(st.lists(st.integers(0, 239), max_size=16))
        instants = sorted((start + timedelta(minutes=each) for each in minutes), reverse=True)
        return [local(f"{each.astimezone(zone):%Y-%m-%d %H:%M:%S}", zone) for each in instants]
    rows = draw(newest_first(most=16))
    return rows if kind == "in order" else draw(st.permutations(rows))


@given(rows=lists(), sizes=st.lists(st.integers(0, 5), max_size=8))
def test_a_timeline_that_is_continued_is_the_one_of_the_whole(
    rows: list[CreditChange], sizes: list[int]
) -> None:
    known: list[CreditChange] = []
    timeline = ordered(known, ACCOUNT, complete=False)
    for size in [*sizes, len(rows)]:
        fresh = rows[len(known) : len(known) + size]
        complete = len(known) + len(fresh) == len(rows)
        whole = ordered([*known, *fresh], ACCOUNT, complete=complete)

        further = continued(timeline, known, fresh, ACCOUNT, complete=complete)

        if further is not None:
            assert (list(further.keys), list(further.entries)) == (whole.keys, whole.entries)
            assert further.horizon == whole.horizon
        known, timeline = [*known, *fresh], further or whole


def test_a_timeline_is_continued_without_the_work_of_the_whole() -> None:
    known, fresh = [change(3), change(2)], [change(2), change(1)]
    timeline = ordered(known, ACCOUNT, complete=False)

    further = continued(timeline, known, fresh, ACCOUNT, complete=False)

    assert further is not None
    assert further.entries[-1] is timeline.entries[-1]
    assert [entry.at for entry in further.entries] == [change(2).at, change(2).at, change(3).at]


def test_a_timeline_is_not_continued_by_an_entry_that_belongs_in_it() -> None:
    known = [change(5), change(3)]
    timeline = ordered(known, ACCOUNT, complete=False)

    assert continued(timeline, known, [change(4)], ACCOUNT, complete=False) is None
