"""The arguments of a connection, checked."""

from typing import NamedTuple

from app.api.types.inputs import given
from app.model.errors import BadUserInput

_DEFAULT = 50


class Paging(NamedTuple):
    """How many rows, from which end, and between which cursors."""

    size: int
    from_end: bool
    after: str | None
    before: str | None


def checked(
    first: int | None, after: str | None, last: int | None, before: str | None, *, limit: int
) -> Paging:
    """Return the arguments of a connection; raises `BadUserInput`."""
    first, last = given(first), given(last)
    if first is not None and last is not None:
        raise BadUserInput("Give either `first` or `last`, not both.")
    for name, value in (("first", first), ("last", last)):
        if value is not None and not 0 <= value <= limit:
            raise BadUserInput(f"`{name}` takes 0 to {limit}; {value} is not.")
    if last is not None:
        return Paging(last, from_end=True, after=given(after), before=given(before))
    size = min(_DEFAULT, limit) if first is None else first
    return Paging(size, from_end=False, after=given(after), before=given(before))
