"""
Customers found by a part of their reference or name, without reading all of them.

First a stretch of customers is walked in the order asked for: what many have is found there. What
is rarer than that is found by the index of three characters in a row, and then sorted.
"""

import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, cast, func, literal_column, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.tables import customers, is_keepable

# Longer than what can be found; SQLite refuses patterns of more than 50,000 bytes.
_LONGEST_SEARCH = 4000
_TERM = 3
# All of them would find no fewer customers worth mentioning, and each costs time.
_MOST_TERMS = 40
# As long to walk as it takes to find and sort what is too rare for it.
_STRETCH = 5000
# Above that, SQLite counts faster without the index.
_FEW = 20_000
_LAST = "\U0010ffff"


def searched(reference: str, display_name: str | None) -> str:
    """Return the text that a search looks into."""
    # The separator is in neither of them, so no search finds a part that spans both.
    return _folded(f"{reference}\x1f{display_name or ''}")


@dataclass(frozen=True)
class Span:
    """At most `limit` customers between two references, which are none of them; None is no end.

    They are those next to `after`, or where it is `backwards`, those next to `before`.
    """

    after: str | None
    before: str | None
    limit: int
    backwards: bool


async def page(connection: AsyncConnection, search: str | None, span: Span) -> list[Row[Any]]:
    """Return the customers of a span that a search finds; backwards, in descending order."""
    if not search:
        return await _rows(connection, _spanned(select(customers), span))
    folded = _folded(search)
    if not _is_findable(folded):
        return []
    stretch = replace(span, limit=_STRETCH)
    walked = _spanned(select(customers), stretch).subquery()
    within = select(walked).where(_has(walked.c.searched, folded)).limit(span.limit)
    found = await _rows(connection, _ordered(within, walked.c.reference, span))
    if len(found) == span.limit:
        return found
    beyond = _spanned(select(customers.c.reference), stretch).offset(_STRETCH)
    if not await _rows(connection, beyond):
        return found
    indexed = select(customers).where(_indexed(connection, folded))
    known = indexed.where(_has(customers.c.searched, folded)).cte("known")
    # Otherwise the database might walk on, in the hope to be spared the sorting.
    known = known.prefix_with("MATERIALIZED")
    return await _rows(connection, _spanned(select(known), span))


async def count(connection: AsyncConnection, search: str | None) -> int:
    """Return how many customers a search finds."""
    statement = select(func.count()).select_from(customers)
    if search:
        folded = _folded(search)
        if not _is_findable(folded):
            return 0
        statement = statement.where(_has(customers.c.searched, folded))
        if await _is_rare(connection, folded):
            statement = statement.where(_indexed(connection, folded))
    return int((await connection.execute(statement)).scalar_one())


async def _rows(connection: AsyncConnection, statement: Select[Any]) -> list[Row[Any]]:
    return list((await connection.execute(statement)).all())


def _spanned(statement: Select[Any], span: Span) -> Select[Any]:
    reference = statement.selected_columns.reference
    statement = statement.where(reference > span.after if span.after is not None else true())
    statement = statement.where(reference < span.before if span.before is not None else true())
    return _ordered(statement, reference, span).limit(span.limit)


def _ordered(statement: Select[Any], reference: ColumnElement[str], span: Span) -> Select[Any]:
    return statement.order_by(reference.desc() if span.backwards else reference)


def _has(column: ColumnElement[str], folded: str) -> ColumnElement[bool]:
    return column.contains(folded, autoescape=True)


def _indexed(connection: AsyncConnection, folded: str) -> ColumnElement[bool]:
    """Return the condition that the index answers: it holds for all that a search finds."""
    if connection.dialect.name == "postgresql":
        # Its engine has loaded it; without one it takes long, for nothing.
        from sqlalchemy.dialects.postgresql import TSQUERY  # noqa: PLC0415

        terms = cast(_tsquery(folded), TSQUERY)
        return func.customer_terms(customers.c.searched).bool_op("@@")(terms)
    return customers.c.id.in_(
        select(literal_column("customer_id"))
        .select_from(text("customers_search_numbers"))
        .where(literal_column("number").in_(_numbers(folded)))
    )


def _numbers(folded: str) -> Select[Any]:
    """Return the numbers that SQLite's index knows the customers by."""
    if len(folded) >= _TERM:
        terms = " AND ".join('"' + term.replace('"', '""') + '"' for term in _terms(folded))
        matching = text("customers_search MATCH :terms").bindparams(terms=terms)
        return select(literal_column("rowid")).select_from(text("customers_search")).where(matching)
    beginning = text("term >= :first AND term < :last").bindparams(
        first=folded, last=folded + _LAST
    )
    return (
        select(literal_column("doc")).select_from(text("customers_search_terms")).where(beginning)
    )


def _tsquery(folded: str) -> str:
    if len(folded) < _TERM:
        return f"{_quoted(folded)}:*"
    return " & ".join(_quoted(term) for term in _terms(folded))


def _quoted(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _terms(folded: str) -> list[str]:
    found = (folded[start : start + _TERM] for start in range(len(folded) - _TERM + 1))
    return list(dict.fromkeys(found))[:_MOST_TERMS]


async def _is_rare(connection: AsyncConnection, folded: str) -> bool:
    """Say whether a count by the index is the faster one; PostgreSQL decides that by itself."""
    if connection.dialect.name == "postgresql":
        return True
    some = _numbers(folded).limit(_FEW + 1).subquery()
    counted = await connection.execute(select(func.count()).select_from(some))
    return int(counted.scalar_one()) <= _FEW


def _is_findable(folded: str) -> bool:
    return len(folded) <= _LONGEST_SEARCH and "\x1f" not in folded and is_keepable(folded)


def _folded(written: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", written).casefold())
