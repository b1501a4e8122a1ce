"""Statements that find customers by a part of their reference or name."""

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, select, true

from app.directory.tables import customers, is_keepable

# Longer than what can be found; SQLite refuses patterns of more than 50,000 bytes.
_LONGEST_SEARCH = 4000


def searched(reference: str, display_name: str | None) -> str:
    """Return the text that a search looks into."""
    # The separator is in neither of them, so no search finds a part that spans both.
    return _folded(f"{reference}\x1f{display_name or ''}")


def page(
    search: str | None, after: str | None, before: str | None, limit: int, *, backwards: bool
) -> Select[Any]:
    """Return the statement for a page; backwards, its rows come in descending order."""
    column = customers.c.reference
    statement = select(customers).where(_found(search)).limit(limit)
    if after is not None:
        statement = statement.where(column > after)
    if before is not None:
        statement = statement.where(column < before)
    return statement.order_by(column.desc() if backwards else column)


def count(search: str | None) -> Select[int]:
    """Return the statement for the number of customers that a search finds."""
    return select(func.count()).select_from(customers).where(_found(search))


def _found(search: str | None) -> ColumnElement[bool]:
    if not search:
        return true()
    folded = _folded(search)
    if len(folded) > _LONGEST_SEARCH or "\x1f" in folded or not is_keepable(folded):
        return false()
    return customers.c.searched.contains(folded, autoescape=True)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
