"""Accounts of customers at providers: found, linked and unlinked."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory.credentials import Kept, seal, unseal
from app.directory.outcome import Change, Linked
from app.directory.part import Part, change, new_id
from app.directory.server import Wanted
from app.directory.tables import accounts, customers, label_or_none
from app.model.accounts import Account, AccountStatus
from app.model.errors import NotFound

_LISTED = [column for column in accounts.c if column is not accounts.c.credentials]
_BY_ID, _BY_CUSTOMER = Wanted(_LISTED, accounts.c.id), Wanted(_LISTED, accounts.c.customer_id)


class Accounts(Part):
    """The part of the directory that keeps which accounts a customer has."""

    async def accounts_by_customer(self, ids: Sequence[str]) -> list[list[Account]]:
        """Return each customer's accounts in the order of the ids, the first linked first."""
        found: defaultdict[str, list[Account]] = defaultdict(list)
        for row in await self._rows(_BY_CUSTOMER, ids):
            found[row.customer_id].append(_account(row))
        return [
            sorted(found[customer_id], key=lambda account: (account.linked_at, account.id))
            for customer_id in ids
        ]

    async def accounts_by_id(self, ids: Sequence[str]) -> list[Account | None]:
        """Return the accounts of these ids in their order, None where there is none."""
        found = {row.id: _account(row) for row in await self._rows(_BY_ID, ids)}
        return [found.get(account_id) for account_id in ids]

    async def providers_in_use(self) -> list[str]:
        """Return the names of the providers that any account is linked to, in their order."""
        statement = select(accounts.c.provider).distinct().order_by(accounts.c.provider)
        async with self._database.reading() as connection:
            return list((await connection.execute(statement)).scalars())

    async def any_account(self, provider: str) -> Account | None:
        """Return one of the accounts at a provider, the one linked last; None if there is none."""
        statement = select(*_LISTED).where(
            accounts.c.provider == provider, accounts.c.status == AccountStatus.ACTIVE.value
        )
        newest = statement.order_by(accounts.c.linked_at.desc()).limit(1)
        async with self._database.reading() as connection:
            row = (await connection.execute(newest)).one_or_none()
        return _account(row) if row else None

    async def has_given(
        self, customer_id: str, provider: str, label: str | None, credentials: Mapping[str, str]
    ) -> bool:
        """Say whether the account is kept as given with these very credentials."""
        async with self._database.reading() as connection:
            row = await _labelled_row(connection, customer_id, provider, label)
        return row is not None and self._given(row) == credentials

    async def put_account(
        self,
        customer_id: str,
        provider: str,
        label: str | None,
        credentials: Mapping[str, str],
        external_id: str | None,
        current: Mapping[str, str] | None = None,
    ) -> Linked:
        """
        Keep a customer's account with credentials as they were given.

        `current` is what they were just proved to be, renewed or not; None where nobody tried.

        The same credentials as given before change nothing, whatever they were renewed to, unless
        they were refused since and proved again; others replace them, make the account active and
        begin its next revision. `NotFound` for an
        unknown customer, `VaultError` if those kept before cannot be opened.
        """
        kept = Kept(given=dict(credentials), current=dict(current or credentials))
        async with self._database.writing() as connection:
            row = await _labelled_row(connection, customer_id, provider, label)
            is_good = current is None or (row and row.status == AccountStatus.ACTIVE.value)
            if row is not None and is_good and self._given(row) == kept.given:
                return Linked(Change.UNCHANGED, row.id)
            account_id = new_id() if row is None else row.id
            values: dict[str, object] = {
                "external_id": external_id,
                "status": AccountStatus.ACTIVE.value,
                "credentials": seal(self._vault, kept, account_id, provider),
                "revision": 1 if row is None else row.revision + 1,
                # Whoever renews the former credentials does it for nothing.
                "renewal_token": None,
                "renewal_until": None,
            }
            if row is not None:
                await change(connection, accounts, account_id, **values)
                return Linked(Change.UPDATED, account_id)
            await _require_customer(connection, customer_id)
            new = {"id": account_id, "customer_id": customer_id, "linked_at": self._now()}
            values |= {**new, "provider": provider, "label": label or None}
            await connection.execute(accounts.insert().values(values))
            return Linked(Change.CREATED, account_id)

    async def unlink_account(self, account_id: str) -> bool:
        """Delete an account with its credentials; False where there is no such account."""
        async with self._database.writing() as connection:
            deleted = await connection.execute(delete(accounts).where(accounts.c.id == account_id))
            return deleted.rowcount > 0

    def _given(self, row: Row[Any]) -> Mapping[str, str]:
        return unseal(self._vault, row.credentials, row.id, row.provider).given


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        customer_id=row.customer_id,
        provider=row.provider,
        linked_at=row.linked_at,
        label=row.label,
        external_id=row.external_id,
        status=AccountStatus(row.status),
        revision=row.revision,
    )


async def _labelled_row(
    connection: AsyncConnection, customer_id: str, provider: str, label: str | None
) -> Row[Any] | None:
    statement = select(accounts).where(
        accounts.c.customer_id == customer_id,
        accounts.c.provider == provider,
        label_or_none == (label or ""),
    )
    return (await connection.execute(statement)).one_or_none()


async def _require_customer(connection: AsyncConnection, customer_id: str) -> None:
    statement = select(customers.c.id).where(customers.c.id == customer_id)
    if (await connection.execute(statement)).one_or_none() is None:
        raise NotFound("there is no such customer")
