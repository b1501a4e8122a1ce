"""Windows that are remembered: always what a merge would show now, and not for ever."""

import gc
from dataclasses import replace
from weakref import ref

from histories import ACCOUNTS, change
from hypothesis import given
from hypothesis import strategies as st

from app.history.filter import CreditChangeFilter
from app.history.window import Missing, Window, window_of
from app.history.windows import Merged, Windows
from app.mirror.timeline import Timeline, ordered

ALL = CreditChangeFilter()
PAGE = Window(3)
texts = st.sampled_from([ALL, CreditChangeFilter(text="odd"), CreditChangeFilter(unit="SEK")])
windows = st.builds(Window, st.integers(0, 4), from_end=st.booleans(), oldest_first=st.booleans())


def timelines(count: int = 8, *, complete: bool = True) -> dict[str, Timeline]:
    """Return some histories of so many entries each, whose times are the same."""
    return {
        account: ordered(
            [change(second, number) for second in range(count, 0, -1)], account, complete=complete
        )
        for number, account in enumerate(ACCOUNTS[:3], 1)
    }


def shown(remembered: Windows, known: dict[str, Timeline], window: Window = PAGE) -> Merged:
    found = remembered.of(known, ALL, window)
    assert isinstance(found, Merged)
    return found


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), texts, windows), max_size=12))
def test_they_are_what_a_merge_shows_whatever_was_asked_before(
    asked: list[tuple[int, bool, CreditChangeFilter, Window]],
) -> None:
    remembered = Windows(most=4)
    for count, complete, chosen, window in asked:
        # Histories of before are gone by now, and others may be at their places in memory.
        known = timelines(count, complete=complete)
        expected = window_of(known, chosen, window)
        for _ in range(2):
            found = remembered.of(known, chosen, window)
            assert (found.slice if isinstance(found, Merged) else found) == expected


def test_they_are_merged_once_while_the_histories_are_the_same() -> None:
    remembered, known = Windows(), timelines()
    first = shown(remembered, known)

    assert shown(remembered, dict(known)) is first
    assert shown(remembered, known, Window(2)) is not first
    assert shown(remembered, {**known, ACCOUNTS[0]: replace(known[ACCOUNTS[0]])}) is not first
    assert remembered.of(known, CreditChangeFilter(unit="SEK"), PAGE) is not first
    assert shown(remembered, known) is first


def test_what_is_missing_is_asked_for_each_time() -> None:
    remembered, known = Windows(), timelines(complete=False)

    assert isinstance(remembered.of(known, ALL, Window(1000)), Missing)
    assert len(remembered) == 0


def test_no_history_is_kept_by_what_was_shown_of_it() -> None:
    remembered, known = Windows(), timelines()
    shown(remembered, known)
    alive = [ref(one) for one in known.values()]
    del known
    gc.collect()

    assert not any(one() for one in alive)


def test_those_that_were_asked_for_last_are_remembered_and_all_can_be_forgotten() -> None:
    remembered, known = Windows(most=3), timelines()
    first = shown(remembered, known, Window(0))
    for count in range(1, 3):
        shown(remembered, known, Window(count))
    assert shown(remembered, known, Window(0)) is first
    shown(remembered, known, Window(3))

    assert len(remembered) == 3
    assert shown(remembered, known, Window(0)) is first
    remembered.forget()
    assert len(remembered) == 0
    assert shown(remembered, known, Window(0)) is not first


def test_only_so_much_is_made_of_one() -> None:
    merged = shown(Windows(), timelines())
    for number in range(100):
        merged.keep(number, number)

    assert 0 < len(merged.made) < 10
    assert merged.made[99] == 99
