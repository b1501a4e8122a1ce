"""Accounts that are asked for at the same moment, read together."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select

from app.directory.database import Database
from app.directory.tables import accounts

# SQLite allows 32,766 parameters of a statement, older ones 999.
_MOST_AT_ONCE = 500


class Gathering:
    """Reads the row of an account anew for whoever asks, once for all who ask at that moment.

    Nothing is kept: what was written before somebody asks is in what they are given.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, None] = {}
        self._next: asyncio.Task[Mapping[str, Row[Any]]] | None = None

    async def row(self, account_id: str) -> Row[Any] | None:
        """Return an account with its credentials as they are kept; None where there is none."""
        if self._next is None or len(self._ids) >= _MOST_AT_ONCE:
            self._ids = {}
            self._next = asyncio.get_running_loop().create_task(self._read(self._ids))
            # Where everybody went away, nobody wants its error either.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._ids[account_id] = None
        return (await asyncio.shield(self._next)).get(account_id)

    async def _read(self, ids: Mapping[str, None]) -> Mapping[str, Row[Any]]:
        """Return the rows by id; it begins once all who were about to ask have asked."""
        if ids is self._ids:
            self._next = None
        wanted = select(accounts).where(accounts.c.id.in_(list(ids)))
        return {row.id: row for row in await self._database.rows(wanted)}
