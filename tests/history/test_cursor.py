"""Cursors: what was signed once is accepted for good, for its own list alone."""

import pytest

from app.history.cursor import CursorSigner
from app.model.errors import InvalidCursor

KEY, FORMER = b"k" * 32, b"f" * 32
PLACE = (1_700_000_000_000_000, "0123456789abcdef", 2)
# As `hmac.digest` signed it, before what is the same for all cursors was done but once.
CURSOR = "JqWHtDQJ4VlAMiGEAAYKJBgeQAABI0VniavN7wAAAAI"


def test_the_cursor_of_a_place_is_the_same_in_every_process_and_release() -> None:
    signer = CursorSigner([KEY])

    for _ in range(2):
        assert signer.places("a list")(PLACE) == CURSOR
        assert signer.read_place(CURSOR, "a list") == PLACE


def test_a_cursor_by_a_former_key_is_accepted_and_one_by_another_is_not() -> None:
    by_former = CursorSigner([FORMER]).places("a list")(PLACE)
    signer = CursorSigner([KEY, FORMER])

    assert signer.read_place(by_former, "a list") == PLACE
    assert signer.places("a list")(PLACE) == CURSOR
    with pytest.raises(InvalidCursor):
        CursorSigner([KEY]).read_place(by_former, "a list")


@pytest.mark.parametrize("other", ["another list", "", "a list "])
def test_a_cursor_of_another_list_is_refused(other: str) -> None:
    with pytest.raises(InvalidCursor):
        CursorSigner([KEY]).read_place(CURSOR, other)
