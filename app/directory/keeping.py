"""The credentials of accounts, as providers ask for them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.credentials import Kept, unseal
from app.directory.database import DirectoryUnavailable
from app.directory.part import Part, change
from app.directory.tables import accounts
from app.directory.vault import VaultError
from app.model.accounts import AccountStatus
from app.model.errors import NotFound, UpstreamUnauthorized, UpstreamUnavailable


class Credentials(Part):
    """The part of the directory that is the `CredentialStore` of the providers."""

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        """
        Return the account's current credentials; `NotFound` for an unknown account.

        Where they cannot be opened, or the directory does not answer, that is one account's
        `UpstreamError`, so that it costs no other account's entries.
        """
        async with of_one_account():
            row = await self._gathering.row(account_id)
            if row is None:
                raise NotFound("there is no such account")
            return self._unsealed(row).current

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        """Record whether the provider still accepts the account's credentials."""
        async with self._database.writing() as connection:
            row = await _account_row(connection, account_id)
            if row.status != status:
                await change(connection, accounts, account_id, status=status.value)

    def _unsealed(self, row: Row[Any]) -> Kept:
        return unseal(self._vault, row.credentials, row.id, row.provider)


@asynccontextmanager
async def of_one_account() -> AsyncIterator[None]:
    """Turn what the directory cannot do into an `UpstreamError`, which costs one account alone."""
    try:
        yield
    except VaultError as error:
        raise UpstreamUnauthorized(
            "The stored credentials cannot be opened; give the former vault key back.",
            relink=False,
        ) from error
    except DirectoryUnavailable as error:
        raise UpstreamUnavailable("The stored credentials cannot be reached now.") from error


async def _account_row(connection: AsyncConnection, account_id: str) -> Row[Any]:
    statement = select(accounts).where(accounts.c.id == account_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("there is no such account")
    return row
