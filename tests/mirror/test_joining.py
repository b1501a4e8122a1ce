"""Two parts of one list join only where something that both show proves it."""

from histories import change

from app.mirror.joining import continued_by, followed, spliced
from app.providers.page import Page

Y, X, Z = change(3), change(2), change(1)


def test_equal_rows_that_are_cut_by_a_page_are_not_taken_for_each_other() -> None:
    assert continued_by((Y, X), (Y, X, X, Z)) == (Y, X, X, Z)
    assert continued_by((change(4), Y, X), (Y, X, X, Z)) == (change(4), Y, X, X, Z)
    assert continued_by((change(4), X), (Y, X, X, Z)) is None


def test_a_page_that_begins_amid_equal_rows_shows_nothing_of_those_before() -> None:
    assert continued_by((Y, X), (X, Z)) is None
    assert continued_by((Y, X), (X, X)) is None


def test_a_page_whose_rows_are_all_unknown_follows_only_by_its_overlap() -> None:
    page = Page((X, X, Z), None, overlap=1, total=4)

    assert followed((Y, X), page, 4) == (Y, X, X, Z)
    assert followed((Y, X), page, 5) is None


def test_what_is_read_at_the_newest_end_replaces_what_differs_above_where_they_meet() -> None:
    known = (change(5), change(4), Y, X, Z)

    assert spliced((change(5), change(4, 7), Y, X), known) == (change(5), change(4, 7), Y, X, Z)
    assert spliced((change(5), change(4), change(3, 7), X), known) is None
    assert spliced((change(5), change(4), Y, change(2, 7)), known) is None
