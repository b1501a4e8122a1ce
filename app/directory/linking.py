"""
Linking and unlinking accounts: what is written, and what is forgotten then.

Whatever was begun is done to its end, also when its caller is gone: credentials that a provider
has renewed and nobody has stored would be lost.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from typing import Any, TypeVar

from app.directory.database import DirectoryUnavailable
from app.directory.directory import Change, Directory, Linked
from app.directory.lines import AccountLine
from app.directory.vault import VaultError
from app.model.accounts import CREDENTIALS, Account, AccountStatus, Customer, ProviderKind
from app.model.errors import UpstreamUnauthorized, UpstreamUnavailable

T = TypeVar("T")
Prove = Callable[[str, Mapping[str, str]], Awaitable[Mapping[str, str]]]
"""Tries credentials at a provider, by its name: what they were renewed to, or `UpstreamError`."""
Forget = Callable[[Mapping[str, int]], Awaitable[None]]
"""Takes away, in all processes, what was read of accounts: revisions by the accounts' ids."""

# Credentials that could not be written, and wait for their caller to try again.
_REMEMBERED = 1000


async def forget_nothing(revisions: Mapping[str, int]) -> None:
    """Leave all as it is: where nothing was ever read."""


class Linking:
    """Links accounts with credentials that are proved first, unless `prove` is None."""

    def __init__(
        self, directory: Directory, prove: Prove | None, forget: Forget = forget_nothing
    ) -> None:
        self.prove = prove
        self.forget = forget
        self._directory = directory
        self._running: dict[Hashable, asyncio.Task[Any]] = {}
        self._unwritten: OrderedDict[Hashable, Mapping[str, str]] = OrderedDict()

    async def link(self, customer_id: str, account: AccountLine) -> Linked:
        """
        Keep a customer's account; the credentials that it was given before change nothing.

        Raises `NotFound` for an unknown customer, and `UpstreamError` where the credentials could
        not be proved or stored; its `field` names those that the provider refuses.
        """
        given = frozenset(account.credentials.items())
        key = (customer_id, account.provider, account.label, given)
        return await self._whole(key, lambda: self._link(customer_id, account))

    async def unlink(self, account: Account) -> bool:
        """Delete an account with all that is known of it; False where it is gone already."""
        return await self._whole(("unlink", account.id), lambda: self._unlink(account))

    async def delete(self, customer: Customer) -> bool:
        """Delete a customer with its accounts and all that is known; False where it is gone."""
        return await self._whole(("delete", customer.id), lambda: self._delete(customer))

    async def aclose(self) -> None:
        """Wait for what was begun; each call to a provider has an end of its own."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _whole(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work to its end; who asks for the same meanwhile shares the outcome."""
        task: asyncio.Task[T] | None = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(work())
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        del self._running[key]
        if not task.cancelled():
            task.exception()  # it was told to all who still waited

    async def _link(self, customer_id: str, account: AccountLine) -> Linked:
        former = await self._former(customer_id, account)
        # Credentials that were refused meanwhile may be good again, which is proved anew.
        is_settled = self.prove is None or (former and former.status is AccountStatus.ACTIVE)
        if former and is_settled and await self._is_same(customer_id, account):
            return Linked(Change.UNCHANGED, former.id)
        try:
            current = await self._proved(account)
        except UpstreamUnauthorized as error:
            linked = await self._linked_meanwhile(customer_id, account)
            if linked is not None:
                return linked
            secret = f"credentials.{account.kind.lower()}.{CREDENTIALS[account.kind]}"
            error.field = secret if error.relink else None
            raise
        linked = await self._put(customer_id, account, current)
        if former and linked.change is Change.UPDATED:
            await self.forget({former.id: former.revision})
        return linked

    async def _linked_meanwhile(self, customer_id: str, account: AccountLine) -> Linked | None:
        """Return the account if another process linked it with a token that is taken once."""
        former = await self._former(customer_id, account)
        if former is None or former.status is not AccountStatus.ACTIVE:
            return None
        is_same = await self._is_same(customer_id, account)
        return Linked(Change.UNCHANGED, former.id) if is_same else None

    async def _former(self, customer_id: str, account: AccountLine) -> Account | None:
        (linked,) = await self._directory.accounts_by_customer([customer_id])
        wanted = (account.provider, account.label)
        return next((one for one in linked if (one.provider, one.label) == wanted), None)

    async def _is_same(self, customer_id: str, account: AccountLine) -> bool:
        try:
            return await self._directory.has_given(
                customer_id, account.provider, account.label, account.credentials
            )
        except VaultError as error:
            raise UpstreamUnauthorized(
                "The credentials stored before cannot be opened; unlink the account first.",
                relink=False,
            ) from error

    async def _proved(self, account: AccountLine) -> Mapping[str, str] | None:
        """Return the credentials as they are now; None where nobody tries them."""
        unwritten = self._unwritten.get(_key(account))
        if unwritten is not None or self.prove is None:
            return unwritten
        return await self.prove(account.provider, account.credentials)

    async def _put(
        self, customer_id: str, account: AccountLine, current: Mapping[str, str] | None
    ) -> Linked:
        given = account.credentials
        external_id = given["customerId"] if account.kind is ProviderKind.CARECLOUD else None
        try:
            linked = await self._directory.put_account(
                customer_id, account.provider, account.label, given, external_id, current
            )
        except DirectoryUnavailable as error:
            if current is None:
                raise
            # Those given are used up where the provider has renewed them.
            self._unwritten[_key(account)] = current
            if len(self._unwritten) > _REMEMBERED:
                self._unwritten.popitem(last=False)
            raise UpstreamUnavailable(
                "The credentials are good, but could not be stored. Link again with the same ones: "
                "what the provider renewed is not lost while this process runs."
            ) from error
        self._unwritten.pop(_key(account), None)
        return linked

    async def _unlink(self, account: Account) -> bool:
        is_there = await self._directory.unlink_account(account.id)
        await self.forget({account.id: account.revision})
        return is_there

    async def _delete(self, customer: Customer) -> bool:
        (linked,) = await self._directory.accounts_by_customer([customer.id])
        gone = await self._directory.delete_customer(customer.id)
        revisions = {one.id: one.revision for one in linked}
        # One that was linked in between is new.
        await self.forget({**dict.fromkeys(gone or (), 1), **revisions})
        return gone is not None


def _key(account: AccountLine) -> Hashable:
    return account.provider, frozenset(account.credentials.items())
