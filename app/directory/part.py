"""What each part of the directory is made of, and what they share."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.database import Database
from app.directory.gathering import Gathering
from app.directory.server import MOST_VALUES, Wanted
from app.directory.tables import is_keepable
from app.directory.vault import Vault
from app.model.clock import utc_now


class Part:
    """One concern of the directory: it shares the database, the vault and the clock."""

    def __init__(
        self, database: Database, vault: Vault, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._vault = vault
        self._now = now
        self._gathering = Gathering(database)

    async def _rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        """Return the rows whose key is one of the values, in no order."""
        sought = [value for value in dict.fromkeys(values) if is_keepable(value)]
        if len(sought) <= MOST_VALUES:
            return await self._database.rows(wanted, sought)
        rows: list[Any] = []
        async with self._database.reading() as connection:
            for start in range(0, len(sought), MOST_VALUES):
                among = wanted.key.in_(sought[start : start + MOST_VALUES])
                rows += (await connection.execute(select(*wanted.columns).where(among))).all()
        return rows


def new_id() -> str:
    """Return an id that nothing has: 16 hexadecimal digits."""
    return secrets.token_hex(8)


async def change(connection: AsyncConnection, table: Table, row_id: str, **values: object) -> None:
    """Write values into the row of an id."""
    await connection.execute(update(table).where(table.c.id == row_id).values(values))
