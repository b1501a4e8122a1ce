"""Instants as we write them: RFC 3339 in UTC."""

from datetime import UTC, datetime
from functools import lru_cache

# Most of the instants that are shown are shown again: those of a hundred pages, in a megabyte.
_MOST_WRITTEN = 5000


def written(at: datetime) -> str:
    """Return an instant as RFC 3339 in UTC, with a fraction only where it has one."""
    return _written(at if at.tzinfo is UTC else at.astimezone(UTC))


@lru_cache(_MOST_WRITTEN)
def _written(at: datetime) -> str:
    return f"{at.isoformat()[:-6]}Z"
