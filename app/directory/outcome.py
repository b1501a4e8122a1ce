"""What a write to the directory did."""

from enum import StrEnum
from typing import NamedTuple


class Change(StrEnum):
    """What a write did."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


class Linked(NamedTuple):
    """What became of an account that was linked, and its id."""

    change: Change
    account_id: str
