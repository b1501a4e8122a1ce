"""The directory: who the customers are, and which accounts they have at which providers."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import Column, Row, Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory import customers as asking
from app.directory.credentials import Kept, seal, unseal
from app.directory.customers import chunks, customer
from app.directory.database import Database, DirectoryUnavailable
from app.directory.tables import accounts, customers, label_or_none
from app.directory.vault import Vault, VaultError
from app.model.accounts import Account, AccountStatus, Customer
from app.model.errors import NotFound, UpstreamUnauthorized, UpstreamUnavailable

_LISTED = [column for column in accounts.c if column is not accounts.c.credentials]


class Change(StrEnum):
    """What a write did."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"


def _now() -> datetime:
    return datetime.now(UTC)


class Directory:
    """Customers, accounts and credentials; also the `CredentialStore` of the providers."""

    def __init__(
        self, database: Database, vault: Vault, now: Callable[[], datetime] = _now
    ) -> None:
        self._database = database
        self._vault = vault
        self._now = now

    @classmethod
    async def open(cls, url: str, vault: Vault, *, now: Callable[[], datetime] = _now) -> Self:
        """Return the directory at a `sqlite:///` address, made if it is new; close it after use."""
        return cls(await Database.open(url), vault, now)

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()

    async def customers_by_reference(self, refs: Sequence[str]) -> list[Customer | None]:
        """Return the customers of these references in their order, None where there is none."""
        found = {
            row.reference: customer(row) for row in await self._rows(customers.c.reference, refs)
        }
        return [found.get(reference) for reference in refs]

    async def customers_by_id(self, ids: Sequence[str]) -> list[Customer | None]:
        """Return the customers of these ids in their order, None where there is none."""
        found = {row.id: customer(row) for row in await self._rows(customers.c.id, ids)}
        return [found.get(customer_id) for customer_id in ids]

    async def customers_page(
        self,
        *,
        search: str | None,
        after: str | None,
        before: str | None,
        limit: int,
        backwards: bool = False,
    ) -> list[Customer]:
        """
        Return at most `limit` customers by ascending reference, those next to the bound.

        `after` and `before` are references, not themselves within the page; `backwards` takes the
        last of what is between them, else the first. `search` is a part of the reference or the
        display name, whatever the case.
        """
        statement = asking.page(search, after, before, limit, backwards=backwards)
        async with self._database.reading() as connection:
            found = [customer(row) for row in await connection.execute(statement)]
        return found[::-1] if backwards else found

    async def customers_count(self, search: str | None) -> int:
        """Return how many customers a search finds; None finds all."""
        async with self._database.reading() as connection:
            return (await connection.execute(asking.count(search))).scalar_one()

    async def accounts_by_customer(self, ids: Sequence[str]) -> list[list[Account]]:
        """Return each customer's accounts in the order of the ids, the first linked first."""
        found: defaultdict[str, list[Account]] = defaultdict(list)
        for row in await self._rows(accounts.c.customer_id, ids):
            found[row.customer_id].append(_account(row))
        return [
            sorted(found[customer_id], key=lambda account: (account.linked_at, account.id))
            for customer_id in ids
        ]

    async def accounts_by_id(self, ids: Sequence[str]) -> list[Account | None]:
        """Return the accounts of these ids in their order, None where there is none."""
        found = {row.id: _account(row) for row in await self._rows(accounts.c.id, ids)}
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

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        """
        Return the account's current credentials; `NotFound` for an unknown account.

        Where they cannot be opened, or the directory does not answer, that is one account's
        `UpstreamError`, so that it costs no other account's entries.
        """
        try:
            async with self._database.reading() as connection:
                row = await _account_row(connection, account_id)
            return self._unsealed(row).current
        except VaultError as error:
            raise UpstreamUnauthorized(
                "The stored credentials cannot be opened; give the former vault key back.",
                relink=False,
            ) from error
        except DirectoryUnavailable as error:
            raise UpstreamUnavailable("The stored credentials cannot be read now.") from error

    async def replace_credentials(self, account_id: str, credentials: Mapping[str, str]) -> None:
        """Keep renewed credentials durably; they may be used once this returned."""
        async with self._database.writing() as connection:
            row = await _account_row(connection, account_id)
            kept = Kept(given=self._unsealed(row).given, current=dict(credentials))
            sealed = seal(self._vault, kept, row.id, row.provider)
            await _change(connection, accounts, account_id, credentials=sealed)

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        """Record whether the provider still accepts the account's credentials."""
        async with self._database.writing() as connection:
            row = await _account_row(connection, account_id)
            if row.status != status:
                await _change(connection, accounts, account_id, status=status.value)

    async def put_customer(self, reference: str, display_name: str | None) -> Change:
        """Keep a customer of this reference; without a display name, one kept before stays."""
        searched = asking.searched(reference, display_name)
        async with self._database.writing() as connection:
            row = await _referenced_row(connection, reference)
            if row is None:
                new = {"id": _new_id(), "reference": reference, "created_at": self._now()}
                values = {**new, "display_name": display_name, "searched": searched}
                await connection.execute(customers.insert().values(values))
                return Change.CREATED
            if display_name is None or display_name == row.display_name:
                return Change.UNCHANGED
            await _change(
                connection, customers, row.id, display_name=display_name, searched=searched
            )
            return Change.UPDATED

    async def has_given(
        self, customer_id: str, provider: str, label: str | None, credentials: Mapping[str, str]
    ) -> bool:
        """Say whether the account is kept as given with these very credentials."""
        async with self._database.reading() as connection:
            row = await _labelled_row(connection, customer_id, provider, label)
        return row is not None and self._unsealed(row).given == credentials

    async def put_account(
        self,
        customer_id: str,
        provider: str,
        label: str | None,
        credentials: Mapping[str, str],
        external_id: str | None,
        current: Mapping[str, str] | None = None,
    ) -> Change:
        """
        Keep a customer's account with credentials as they were given.

        `current` is what they have been renewed to since, None where they have not.

        The same credentials as given before change nothing, whatever they were renewed to; others
        replace them and make the account active. `NotFound` for an unknown customer, `VaultError`
        if those kept before cannot be opened.
        """
        kept = Kept(given=dict(credentials), current=dict(current or credentials))
        async with self._database.writing() as connection:
            row = await _labelled_row(connection, customer_id, provider, label)
            if row is not None and self._unsealed(row).given == kept.given:
                return Change.UNCHANGED
            account_id = _new_id() if row is None else row.id
            values: dict[str, object] = {
                "external_id": external_id,
                "status": AccountStatus.ACTIVE.value,
                "credentials": seal(self._vault, kept, account_id, provider),
            }
            if row is not None:
                await _change(connection, accounts, account_id, **values)
                return Change.UPDATED
            await _require_customer(connection, customer_id)
            new = {"id": account_id, "customer_id": customer_id, "linked_at": self._now()}
            values |= {**new, "provider": provider, "label": label or None}
            await connection.execute(accounts.insert().values(values))
            return Change.CREATED

    def _unsealed(self, row: Row[Any]) -> Kept:
        return unseal(self._vault, row.credentials, row.id, row.provider)

    async def _rows(self, column: Column[Any], values: Sequence[str]) -> list[Row[Any]]:
        columns = _LISTED if column.table is accounts else list(customers.c)
        rows: list[Row[Any]] = []
        async with self._database.reading() as connection:
            for chunk in chunks(list(dict.fromkeys(values))):
                found = await connection.execute(select(*columns).where(column.in_(chunk)))
                rows.extend(found.all())
        return rows


def _new_id() -> str:
    return secrets.token_hex(8)


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        customer_id=row.customer_id,
        provider=row.provider,
        linked_at=row.linked_at,
        label=row.label,
        external_id=row.external_id,
        status=AccountStatus(row.status),
    )


async def _referenced_row(connection: AsyncConnection, reference: str) -> Row[Any] | None:
    statement = select(customers).where(customers.c.reference == reference)
    return (await connection.execute(statement)).one_or_none()


async def _account_row(connection: AsyncConnection, account_id: str) -> Row[Any]:
    statement = select(accounts).where(accounts.c.id == account_id)
    row = (await connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("there is no such account")
    return row


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


async def _change(connection: AsyncConnection, table: Table, row_id: str, **values: object) -> None:
    await connection.execute(update(table).where(table.c.id == row_id).values(values))
