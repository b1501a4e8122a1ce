"""
Credentials that are renewed, by one process at a time, and kept before they are used.

The turn to renew is kept in the account's row, so that it holds between processes that share
nothing but the directory. It only saves calls: what is written is checked against what is there
by then, so a process that comes late, its turn long over, overwrites nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.credentials import Kept, seal, unseal
from app.directory.keeping import of_one_account
from app.directory.part import Part, change
from app.directory.tables import accounts
from app.model.accounts import AccountStatus
from app.model.errors import NotFound
from app.model.renewable import Pause, PauseKind, Renewable, Renewed

# In place of a turn, whose name is hexadecimal.
_PAUSES = frozenset(PauseKind)


class Renewing(Part):
    """The part of the directory that keeps what providers renew."""

    async def renewable(self, account_id: str) -> Renewable:
        """Return an account's credentials with what has been renewed of them."""
        async with of_one_account():
            row = await self._gathering.row(account_id)
            if row is None:
                raise NotFound("there is no such account")
            kept = self._kept(row)
        held = (row.revision, kept.current, kept.previous, kept.access)
        if row.renewal_token in _PAUSES:
            return Renewable(*held, pause=Pause(PauseKind(row.renewal_token), row.renewal_until))
        return Renewable(*held, taken_until=row.renewal_until)

    async def take_turn(self, account_id: str, turn: str, now: datetime, until: datetime) -> bool:
        """Say whether nobody else may renew the credentials until then."""
        is_free = or_(
            accounts.c.renewal_until.is_(None),
            accounts.c.renewal_until <= now,
            accounts.c.renewal_token == turn,
        )
        taken = update(accounts).where(accounts.c.id == account_id, is_free)
        async with of_one_account(), self._database.writing(shown=False) as connection:
            done = await connection.execute(taken.values(renewal_token=turn, renewal_until=until))
            return done.rowcount > 0

    async def end_turn(self, account_id: str, turn: str, pause: Pause | None) -> None:
        """Let others renew the credentials, after the pause."""
        mine = update(accounts).where(accounts.c.id == account_id, accounts.c.renewal_token == turn)
        async with of_one_account(), self._database.writing(shown=False) as connection:
            await connection.execute(mine.values(_pausing(pause)))

    async def keep_renewed(self, account_id: str, before: Renewable, renewed: Renewed) -> bool:
        """Keep a renewed pair durably; False where others were linked or renewed meanwhile."""
        async with of_one_account(), self._database.writing(shown=False) as connection:
            row = await self._unchanged(connection, account_id, before)
            if row is None:
                return False
            given = self._kept(row).given
            kept = Kept(given, renewed.current, previous=renewed.spent, access=renewed.access)
            sealed = seal(self._vault, kept, row.id, row.provider)
            await change(connection, accounts, account_id, credentials=sealed, **_pausing(None))
            return True

    async def refuse(self, account_id: str, before: Renewable, until: datetime) -> bool:
        """Mark an account as to be linked again; False where that or a renewal happened."""
        async with of_one_account(), self._database.writing() as connection:
            if await self._unchanged(connection, account_id, before) is None:
                return False
            marked = {"status": AccountStatus.NEEDS_RELINK.value}
            pausing = _pausing(Pause(PauseKind.REFUSED, until))
            await change(connection, accounts, account_id, **marked, **pausing)
            return True

    async def _unchanged(
        self, connection: AsyncConnection, account_id: str, before: Renewable
    ) -> Row[Any] | None:
        """Return the account's row, held until the transaction ends, if it is as it was before."""
        row = await _held_row(connection, account_id)
        if row is None or row.revision != before.revision:
            return None
        return row if self._kept(row).current == before.current else None

    def _kept(self, row: Row[Any]) -> Kept:
        return unseal(self._vault, row.credentials, row.id, row.provider)


async def _held_row(connection: AsyncConnection, account_id: str) -> Row[Any] | None:
    # SQLite knows no such hold and needs none, as a writer there is alone.
    statement = select(accounts).where(accounts.c.id == account_id).with_for_update()
    return (await connection.execute(statement)).one_or_none()


def _pausing(pause: Pause | None) -> Mapping[str, Any]:
    if pause is None:
        return {"renewal_token": None, "renewal_until": None}
    return {"renewal_token": pause.kind.value, "renewal_until": pause.until}
