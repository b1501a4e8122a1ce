"""What tests put into directories, and a clock that counts seconds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from app.directory.directory import Directory
from app.model.accounts import Account, Customer
from app.model.renewable import Access, Renewed

KEY = b"k" * 32
TOKEN = {"refreshToken": "token-1"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def clock() -> Callable[[], datetime]:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


async def put(directory: Directory, reference: str, name: str | None = None) -> Customer:
    await directory.put_customer(reference, name)
    (customer,) = await directory.customers_by_reference([reference])
    assert customer is not None
    return customer


async def link(directory: Directory, customer: Customer, label: str | None = None) -> Account:
    await directory.put_account(customer.id, "cloud", label, TOKEN, None)
    ((*_, account),) = await directory.accounts_by_customer([customer.id])
    return account


async def renew(directory: Directory, account_id: str, token: str) -> bool:
    """Keep credentials as a provider renews them."""
    before = await directory.renewable(account_id)
    access = Access(f"access of {token}", START + timedelta(hours=1))
    renewed = Renewed({"refreshToken": token}, before.current, access)
    return await directory.keep_renewed(account_id, before, renewed)
