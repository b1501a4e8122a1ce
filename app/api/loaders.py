"""
The loaders of one request: equal questions are one load, unequal ones are loaded side by side.

What the viewer may not see is loaded as if it did not exist, whichever way it was asked for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import cached_property, partial
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


class Found(NamedTuple, Generic[T]):
    """What was at hand for a key."""

    value: T


class Batches(Generic[K, T]):
    """Loads what is asked for in one moment at once; a failing key fails alone.

    Each key is loaded but once, and who goes away takes nobody along. What is `at_hand` is taken
    from there: nobody waits for a batch of it.
    """

    def __init__(
        self,
        what: str,
        batch: Callable[[list[K]], Awaitable[Sequence[T | Exception]]],
        at_hand: Callable[[K], Found[T] | None] = lambda _: None,
    ) -> None:
        self._what = what
        self._batch = batch
        self._at_hand = at_hand
        self._known: dict[K, T] = {}
        self._asked: set[K] = set()

    @cached_property
    def _loader(self) -> DataLoader[K, T]:
        # Most requests need one or two of four, and most of these are at hand.
        async def load_all(keys: list[K]) -> Sequence[T | Exception]:
            with span(f"load {self._what}", {_KEYS: len(keys)}):
                return await self._batch(keys)

        return DataLoader(load_all)  # type: ignore[arg-type]

    async def load(self, key: K) -> T:
        if key in self._known:
            return self._known[key]
        if key not in self._asked:
            if found := self._at_hand(key):
                with span(f"load {self._what}", {_KEYS: 1}):
                    self._known[key] = found.value
                return found.value
            self._asked.add(key)
        return await asyncio.shield(self._loader.load(key))

    def prime(self, key: K, value: T) -> None:
        """Take what was loaded another way for loaded, unless it was already."""
        if key not in self._asked:
            self._known.setdefault(key, value)


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
        return found.result() if found.done() else await asyncio.shield(found)

    async def _load(self, key: K) -> T:
        with span(f"load {self._what}", {_KEYS: 1}):
            return await self._one(key)


class EntryKey(NamedTuple):
    account: Account
    stream: Stream
    entry_id: str


class _Directory:
    """What the directory says, as far as a viewer may see it; what it was is noted."""

    def __init__(self, lookups: Lookups, viewer: Viewer, made_of: Dependencies) -> None:
        self._lookups = lookups
        self._viewer = viewer
        self._made_of = made_of

    async def found(self, kind: Kind, keys: Sequence[str]) -> list[Any]:
        found = await self._lookups.found(kind, keys)
        for key, one in zip(keys, found, strict=True):
            self._made_of.looked_up(Lookup(kind, key), one)
        return found

    def at_hand(self, kind: Kind, key: str) -> Found[Any] | None:
        known = self._lookups.at_hand(kind, key)
        if known is None:
            return None
        self._made_of.looked_up(Lookup(kind, key), known.found)
        return Found(known.found)

    async def customers(self, kind: Kind, keys: Sequence[str]) -> list[Customer | None]:
        return [self._visible(one) for one in await self.found(kind, keys)]

    def customer_at_hand(self, kind: Kind, key: str) -> Found[Customer | None] | None:
        known = self.at_hand(kind, key)
        return Found(self._visible(known.value)) if known else None

    def _visible(self, customer: Customer | None) -> Customer | None:
        return customer if customer and self._viewer.may_read(customer) else None


class _Loads:
    """What is loaded beyond the directory, by way of who owns it."""

    def __init__(
        self,
        directory: _Directory,
        customers_by_id: Batches[str, Customer | None],
        histories: Histories,
        balances: Balances,
        viewer: Viewer,
    ) -> None:
        self._directory = directory
        self._customers_by_id = customers_by_id
        self._histories = histories
        self._balances = balances
        self._viewer = viewer

    async def customers_by_reference(self, references: list[str]) -> list[Customer | None]:
        found = await self._directory.customers(Kind.CUSTOMER_BY_REFERENCE, references)
        for customer in found:
            self._prime(customer)
        return found

    def customer_by_reference_at_hand(self, reference: str) -> Found[Customer | None] | None:
        found = self._directory.customer_at_hand(Kind.CUSTOMER_BY_REFERENCE, reference)
        if found:
            self._prime(found.value)
        return found

    def _prime(self, customer: Customer | None) -> None:
        if customer:
            self._customers_by_id.prime(customer.id, customer)

    async def accounts_by_id(self, ids: list[str]) -> list[Account | None]:
        found: list[Account | None] = await self._directory.found(Kind.ACCOUNT_BY_ID, ids)
        owners = await asyncio.gather(
            *(self._customers_by_id.load(account.customer_id) for account in found if account)
        )
        visible = {owner.id for owner in owners if owner}
        return [
            account if account and account.customer_id in visible else None for account in found
        ]

    async def answer(self, question: Question) -> Answer:
        await self._require_readable(question.accounts)
        return await self._histories.answer(question)

    async def whole(self, selection: Selection) -> Whole:
        await self._require_readable(selection.accounts)
        return await self._histories.whole(selection)

    async def entry(self, key: EntryKey) -> Sought:
        await self._require_readable((key.account,))
        return await self._histories.entry(*key)

    async def balance(self, account: Account) -> AccountBalance:
        await self._require_readable((account,))
        return await self._balances.of(account)

    async def _require_readable(self, accounts: Sequence[Account]) -> None:
        """Raise `Forbidden` unless the viewer may read these, of which it may know by writing."""
        if self._viewer.reads_all:
            return
        owners = {account.customer_id for account in accounts}
        found = await asyncio.gather(*(self._customers_by_id.load(owner) for owner in owners))
        if not all(found):
            raise Forbidden("Reading this takes the scope credits:read for its customer.")


class Loaders:
    """One loader for each kind of thing; made for one request and one viewer.

    Nothing that they hold leads back to them: with the rows of a page, that would be left to the
    garbage collector.
    """

    def __init__(
        self,
        lookups: Lookups,
        histories: Histories,
        balances: Balances,
        viewer: Viewer,
        made_of: Dependencies,
    ) -> None:
        directory = _Directory(lookups, viewer, made_of)
        self.customers_by_id = Batches(
            "customers_by_id",
            partial(directory.customers, Kind.CUSTOMER_BY_ID),
            partial(directory.customer_at_hand, Kind.CUSTOMER_BY_ID),
        )
        self.accounts_by_customer: Batches[str, list[Account]] = Batches(
            "accounts_by_customer",
            partial(directory.found, Kind.ACCOUNTS_BY_CUSTOMER),
            partial(directory.at_hand, Kind.ACCOUNTS_BY_CUSTOMER),
        )
        loads = _Loads(directory, self.customers_by_id, histories, balances, viewer)
        self.customers_by_reference = Batches(
            "customers_by_reference",
            loads.customers_by_reference,
            loads.customer_by_reference_at_hand,
        )
        self.accounts_by_id = Batches("accounts_by_id", loads.accounts_by_id)
        self.answers = Once("answers", loads.answer)
        self.wholes = Once("wholes", loads.whole)
        self.entries = Once("entries", loads.entry)
        self.balances = Once("balances", loads.balance)
