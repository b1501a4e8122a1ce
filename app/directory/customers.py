"""Customers: found by reference, id or a search, written and deleted."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory import searching
from app.directory.outcome import Change
from app.directory.part import Part, change, new_id
from app.directory.server import Wanted
from app.directory.tables import accounts, customers
from app.model.accounts import Customer

_BY_ID = Wanted(list(customers.c), customers.c.id)
_BY_REFERENCE = Wanted(list(customers.c), customers.c.reference)


class Customers(Part):
    """The part of the directory that keeps customers."""

    async def customers_by_reference(self, refs: Sequence[str]) -> list[Customer | None]:
        """Return the customers of these references in their order, None where there is none."""
        rows = await self._rows(_BY_REFERENCE, refs)
        found = {row.reference: _customer(row) for row in rows}
        return [found.get(reference) for reference in refs]

    async def customers_by_id(self, ids: Sequence[str]) -> list[Customer | None]:
        """Return the customers of these ids in their order, None where there is none."""
        rows = await self._rows(_BY_ID, ids)
        found = {row.id: _customer(row) for row in rows}
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
        span = searching.Span(after, before, limit, backwards)
        async with self._database.reading() as connection:
            found = [_customer(row) for row in await searching.page(connection, search, span)]
        return found[::-1] if backwards else found

    async def customers_count(self, search: str | None) -> int:
        """Return how many customers a search finds; None finds all."""
        async with self._database.reading() as connection:
            return await searching.count(connection, search)

    async def create_customer(self, reference: str, display_name: str | None) -> Customer | None:
        """Keep a new customer and return it; None where the reference is taken."""
        async with self._database.writing() as connection:
            if await _referenced_row(connection, reference) is not None:
                return None
            return await self._insert(connection, reference, display_name)

    async def put_customer(self, reference: str, display_name: str | None) -> Change:
        """Keep a customer of this reference; without a display name, one kept before stays."""
        async with self._database.writing() as connection:
            row = await _referenced_row(connection, reference)
            if row is None:
                await self._insert(connection, reference, display_name)
                return Change.CREATED
            if display_name is None or display_name == row.display_name:
                return Change.UNCHANGED
            searched = searching.searched(reference, display_name)
            await change(
                connection, customers, row.id, display_name=display_name, searched=searched
            )
            return Change.UPDATED

    async def delete_customer(self, customer_id: str) -> list[str] | None:
        """
        Delete a customer with its accounts and their credentials, all of it or nothing.

        Returns the ids of the accounts that went with it; None where there is no such customer.
        """
        linked = select(accounts.c.id).where(accounts.c.customer_id == customer_id)
        oldest_first = linked.order_by(accounts.c.linked_at, accounts.c.id)
        async with self._database.writing() as connection:
            gone = list((await connection.execute(oldest_first)).scalars())
            await connection.execute(delete(accounts).where(accounts.c.customer_id == customer_id))
            deleted = await connection.execute(
                delete(customers).where(customers.c.id == customer_id)
            )
            return gone if deleted.rowcount else None

    async def _insert(
        self, connection: AsyncConnection, reference: str, display_name: str | None
    ) -> Customer:
        customer = Customer(new_id(), reference, display_name)
        values = {
            "id": customer.id,
            "reference": reference,
            "display_name": display_name,
            "searched": searching.searched(reference, display_name),
            "created_at": self._now(),
        }
        await connection.execute(customers.insert().values(values))
        return customer


def _customer(row: Row[Any]) -> Customer:
    return Customer(row.id, row.reference, row.display_name)


async def _referenced_row(connection: AsyncConnection, reference: str) -> Row[Any] | None:
    statement = select(customers).where(customers.c.reference == reference)
    return (await connection.execute(statement)).one_or_none()
