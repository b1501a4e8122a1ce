"""All rows of merged histories, or what is missing to tell them."""

from datetime import datetime

from histories import ACCOUNTS, change, newest_first
from hypothesis import given
from hypothesis import strategies as st

from app.history.filter import CreditChangeFilter
from app.history.window import Missing, Row, everything
from app.mirror.timeline import ordered
from app.model.entries import CreditChange

lists = st.lists(newest_first(), min_size=1, max_size=4).map(
    lambda drawn: dict(zip(ACCOUNTS, drawn, strict=False))
)


@given(lists=lists, depth=st.integers(1, 12), start=st.none() | st.integers(0, 7))
def test_everything_is_the_merge_of_all_or_says_what_is_not_known_back_to_the_start(
    lists: dict[str, list[CreditChange]], depth: int, start: int | None
) -> None:
    begin = None if start is None else change(start).at
    chosen = CreditChangeFilter(start=begin)
    whole = {account: ordered(rows, account, complete=True) for account, rows in lists.items()}
    partly = {
        account: ordered(rows[:depth], account, complete=depth >= len(rows))
        for account, rows in lists.items()
    }

    found = everything(partly, chosen)

    open_ = {
        account
        for account, timeline in partly.items()
        if timeline.horizon and (begin is None or timeline.horizon >= begin)
    }
    if open_:
        assert found == Missing(frozenset(open_), begin)
    else:
        assert found == everything(whole, chosen)
        assert found == sorted(
            Row(key, entry)
            for timeline in whole.values()
            for key, entry in zip(timeline.keys, timeline.entries, strict=True)
            if begin is None or entry.at >= begin
        )


def test_everything_of_what_was_never_read_is_missing() -> None:
    never_read = ordered([], ACCOUNTS[0], complete=False)

    found = everything({ACCOUNTS[0]: never_read}, CreditChangeFilter())

    assert found == Missing(frozenset({ACCOUNTS[0]}), None)


moments = st.none() | st.integers(0, 9).map(lambda second: change(second).at)


@given(bounds=st.tuples(moments, moments), start=moments, end=moments)
def test_a_narrowed_filter_keeps_what_is_in_both_ranges(
    bounds: tuple[datetime | None, datetime | None], start: datetime | None, end: datetime | None
) -> None:
    own_start, own_end = bounds
    if own_start and own_end and own_start > own_end:
        own_start, own_end = own_end, own_start
    own = CreditChangeFilter(start=own_start, end=own_end)

    narrowed = own.between(start, end)

    for second in range(10):
        entry = change(second)
        asked = (start is None or entry.at >= start) and (end is None or entry.at < end)
        assert narrowed.keeps()(entry) == (own.keeps()(entry) and asked)
