"""Credentials brought under the vault's newest key, while they are in use."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from app.directory.credentials import rotated
from app.directory.part import Part, change
from app.directory.tables import accounts
from app.directory.vault import VaultError

# Short enough for a writer who waits for it not to notice.
_BATCH = 100


class Rotation(NamedTuple):
    """How many accounts' credentials were encrypted anew, already were, and cannot be opened."""

    done: int = 0
    already: int = 0
    unopened: int = 0


class Rotating(Part):
    """The part of the directory that encrypts what it keeps under the newest key."""

    async def rotate_credentials(self) -> AsyncIterator[Rotation]:
        """
        Yield what has been done so far, after each batch.

        Each batch is kept by itself: whatever ends this, it goes on where it ended when it is
        started again. What is linked or renewed meanwhile is under the newest key as well.
        """
        total, last = Rotation(), ""
        while ids := await self._ids_after(last):
            batch = await self._rotate(ids)
            total = Rotation(*(sum(pair) for pair in zip(total, batch, strict=True)))
            last = ids[-1]
            yield total

    async def _ids_after(self, last: str) -> list[str]:
        statement = select(accounts.c.id).where(accounts.c.id > last).order_by(accounts.c.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(statement.limit(_BATCH))).scalars())

    async def _rotate(self, ids: Sequence[str]) -> Rotation:
        columns = [accounts.c.id, accounts.c.provider, accounts.c.credentials]
        batch = select(*columns).where(accounts.c.id.in_(ids))
        newest = self._vault.newest
        async with self._database.reading() as connection:
            rows = (await connection.execute(batch)).all()
        if all(row.credentials.startswith(newest) for row in rows):
            return Rotation(already=len(rows))
        done = unopened = 0
        async with self._database.writing(shown=False) as connection:
            # Read again: a credential that was renewed since is not put back.
            rows = (await connection.execute(batch)).all()
            for row in rows:
                if row.credentials.startswith(newest):
                    continue
                try:
                    sealed = rotated(self._vault, row.credentials, row.id, row.provider)
                except VaultError:
                    unopened += 1
                    continue
                await change(connection, accounts, row.id, credentials=sealed)
                done += 1
        return Rotation(done, len(rows) - done - unopened, unopened)
