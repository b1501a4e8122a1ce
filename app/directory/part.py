"""What each part of the directory is made of, and what they share."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.database import Database
from app.directory.gathering import Gathering
from app.directory.tables import is_keepable
from app.directory.vault import Vault
from app.model.clock import utc_now

# SQLite allows 32,766 parameters of a statement, older ones 999.
_CHUNK = 500


class Part:
    """One concern of the directory: it shares the database, the vault and the clock."""

    def __init__(
        self, database: Database, vault: Vault, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._vault = vault
        self._now = now
        self._gathering = Gathering(database)

    async def _rows(
        self, columns: Sequence[Column[Any]], key: Column[Any], values: Sequence[str]
    ) -> Sequence[Row[Any]]:
        """Return the rows whose key is one of the values, in no order."""
        wanted = [value for value in dict.fromkeys(values) if is_keepable(value)]
        if len(wanted) <= _CHUNK:
            return await self._database.rows(select(*columns).where(key.in_(wanted)))
        rows: list[Row[Any]] = []
        async with self._database.reading() as connection:
            for chunk in _chunks(wanted):
                found = await connection.execute(select(*columns).where(key.in_(chunk)))
                rows.extend(found.all())
        return rows


def new_id() -> str:
    """Return an id that nothing has: 16 hexadecimal digits."""
    return secrets.token_hex(8)


async def change(connection: AsyncConnection, table: Table, row_id: str, **values: object) -> None:
    """Write values into the row of an id."""
    await connection.execute(update(table).where(table.c.id == row_id).values(values))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the values in parts, each short enough for one statement."""
    return (values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK))
