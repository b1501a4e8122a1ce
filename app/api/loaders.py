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
from app.begun import begun
from app.model.accounts import Account, Customer
from app.model.entries import Stream
from app.model.errors import Forbidden
from app.model.viewer import Viewer
from app.observing.spans import span
from app.responses.dependencies import Dependencies
from app.responses.lookups import Kind, Lookup, Lookups

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# As a trace tells how much is loaded at once.
_KEYS = "credit_gateway.keys"


class Batches(Generic[K, T]):
    """Loads what is asked for in one moment at once; a failing key fails alone.

    Each key is loaded but once, and who goes away takes nobody along.
    """

    def __init__(
        self, what: str, batch: Callable[[list[K]], Awaitable[Sequence[T | Exception]]]
    ) -> None:
        self._what = what
        self._batch = batch

    @cached_property
    def _loader(self) -> DataLoader[K, T]:
        # Most requests need one or two of four.
        async def load_all(keys: list[K]) -> Sequence[T | Exception]:
            with span(f"load {self._what}", {_KEYS: len(keys)}):
                return await self._batch(keys)

        return DataLoader(load_all)  # type: ignore[arg-type]

    async def load(self, key: K) -> T:
        return await asyncio.shield(self._loader.load(key))

    def prime(self, key: K, value: T) -> None:
        """Take what was loaded another way for loaded, unless it was already."""
        self._loader.prime(key, value)


class Once(Generic[K, T]):
    """Loads each key but once, side by side; who goes away takes nobody along."""

    def __init__(self, what: str, load: Callable[[K], Awaitable[T]]) -> None:
        self._what = what
        self._one = load
        self._known: dict[K, asyncio.Future[T]] = {}

    async def load(self, key: K) -> T:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = begun(self._load(key))
        return await asyncio.shield(found)

    async def _load(self, key: K) -> T:
        with span(f"load {self._what}", {_KEYS: 1}):
            return await self._one(key)


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
        self.customers_by_reference = Batches(
            "customers_by_reference", self._customers_by_reference
        )
        self.customers_by_id = Batches("customers_by_id", self._customers_by_id)
        self.accounts_by_customer = Batches("accounts_by_customer", self._accounts_by_customer)
        self.accounts_by_id = Batches("accounts_by_id", self._accounts_by_id)
        self.answers = Once("answers", self._answer)
        self.wholes = Once("wholes", self._whole)
        self.entries = Once("entries", self._entry)
        self.balances = Once("balances", self._balance)

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

    async def _answer(self, question: Question) -> Answer:
        await self._require_readable(question.accounts)
        return await self._histories.answer(question)

    async def _whole(self, selection: Selection) -> Whole:
        await self._require_readable(selection.accounts)
        return await self._histories.whole(selection)

    async def _entry(self, key: EntryKey) -> Sought:
        await self._require_readable((key.account,))
        return await self._histories.entry(*key)

    async def _balance(self, account: Account) -> AccountBalance:
        await self._require_readable((account,))
        return await self._balances.of(account)

    async def _require_readable(self, accounts: Sequence[Account]) -> None:
        """Raise `Forbidden` unless the viewer may read these, of which it may know by writing."""
        if self._viewer.reads_all:
            return
        owners = {account.customer_id for account in accounts}
        found = await asyncio.gather(*(self.customers_by_id.load(owner) for owner in owners))
        if not all(found):
            raise Forbidden("Reading this takes the scope credits:read for its customer.")
