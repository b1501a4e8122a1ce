"""
The loaders of one request: equal questions are one load, unequal ones are loaded side by side.

What the viewer may not see is loaded as if it did not exist, whichever way it was asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from aiodataloader import DataLoader

from app.api.balances import AccountBalance, Balances
from app.api.histories import Answer, Histories, Question, Selection, Sought, Whole
from app.model.accounts import Account, Customer
from app.model.entries import Stream
from app.model.errors import Forbidden
from app.model.viewer import Viewer
from app.observing.spans import span
from app.responses.dependencies import Dependencies
from app.responses.lookups import Kind, Lookup, Lookups

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Loader(Generic[K, T]):
    """Loads by key; a failing key fails alone, and who goes away takes nobody along."""

    def __init__(self, batch: Callable[[list[K]], Awaitable[Sequence[T | BaseException]]]) -> None:
        self._batch = batch

    @cached_property
    def _loader(self) -> DataLoader[K, T]:
        name = f"load {getattr(self._batch, '__name__', '').strip('_')}"

        # Most requests need two or three of eight.
        async def load_all(keys: list[K]) -> Sequence[T | BaseException]:
            with span(name, {"credit_gateway.keys": len(keys)}):
                return await self._batch(keys)

        return DataLoader(load_all)  # type: ignore[arg-type]

    async def load(self, key: K) -> T:
        return await asyncio.shield(self._loader.load(key))

    def prime(self, key: K, value: T) -> None:
        """Take what was loaded another way for loaded, unless it was already."""
        self._loader.prime(key, value)


class EntryKey(NamedTuple):
    account: Account
    stream: Stream
    entry_id: str


class Loaders:
    """One loader for each kind of thing; made for one request and one viewer."""

    def __init__(
        self,
        lookups: Lookups,
        histories: Histories,
        balances: Balances,
        viewer: Viewer,
        made_of: Dependencies,
    ) -> None:
        self._lookups = lookups
        self._made_of = made_of
        self._histories = histories
        self._balances = balances
        self._viewer = viewer
        self.customers_by_reference = Loader(self._customers_by_reference)
        self.customers_by_id = Loader(self._customers_by_id)
        self.accounts_by_customer = Loader(self._accounts_by_customer)
        self.accounts_by_id = Loader(self._accounts_by_id)
        self.answers = Loader(self._answers)
        self.wholes = Loader(self._wholes)
        self.entries = Loader(self._entries)
        self.balances = Loader(self._balances_of)

    async def _customers_by_reference(self, references: list[str]) -> list[Customer | None]:
        found = await self._found(Kind.CUSTOMER_BY_REFERENCE, references)
        visible = [self._visible(customer) for customer in found]
        for customer in visible:
            if customer:
                self.customers_by_id.prime(customer.id, customer)
        return visible

    async def _customers_by_id(self, ids: list[str]) -> list[Customer | None]:
        found = await self._found(Kind.CUSTOMER_BY_ID, ids)
        return [self._visible(customer) for customer in found]

    async def _found(self, kind: Kind, keys: Sequence[str]) -> list[Any]:
        found = await self._lookups.found(kind, keys)
        for key, one in zip(keys, found, strict=True):
            self._made_of.looked_up(Lookup(kind, key), one)
        return found

    def _visible(self, customer: Customer | None) -> Customer | None:
        return customer if customer and self._viewer.may_read(customer) else None

    async def _accounts_by_customer(self, ids: list[str]) -> list[list[Account]]:
        return await self._found(Kind.ACCOUNTS_BY_CUSTOMER, ids)

    async def _accounts_by_id(self, ids: list[str]) -> list[Account | None]:
        found: list[Account | None] = await self._found(Kind.ACCOUNT_BY_ID, ids)
        owners = await asyncio.gather(
            *(self.customers_by_id.load(account.customer_id) for account in found if account)
        )
        visible = {owner.id for owner in owners if owner}
        return [
            account if account and account.customer_id in visible else None for account in found
        ]

    async def _answers(self, questions: list[Question]) -> list[Answer | BaseException]:
        return await self._each(questions, lambda one: one.accounts, self._histories.answer)

    async def _wholes(self, selections: list[Selection]) -> list[Whole | BaseException]:
        return await self._each(selections, lambda one: one.accounts, self._histories.whole)

    async def _entries(self, keys: list[EntryKey]) -> list[Sought | BaseException]:
        return await self._each(
            keys, lambda one: (one.account,), lambda one: self._histories.entry(*one)
        )

    async def _balances_of(self, accounts: list[Account]) -> list[AccountBalance | BaseException]:
        return await self._each(accounts, lambda one: (one,), self._balances.of)

    async def _each(
        self,
        keys: list[K],
        accounts_of: Callable[[K], Sequence[Account]],
        load: Callable[[K], Awaitable[T]],
    ) -> list[T | BaseException]:
        """Load each key whose accounts the viewer may read; it may know of others by writing."""

        async def one(key: K) -> T:
            if not self._viewer.reads_all:
                await self._require_readable(accounts_of(key))
            return await load(key)

        return await asyncio.gather(*map(one, keys), return_exceptions=True)

    async def _require_readable(self, accounts: Sequence[Account]) -> None:
        owners = {account.customer_id for account in accounts}
        found = await asyncio.gather(*(self.customers_by_id.load(owner) for owner in owners))
        if not all(found):
            raise Forbidden("Reading this takes the scope credits:read for its customer.")
