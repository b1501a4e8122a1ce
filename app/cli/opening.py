"""What several commands open for a moment."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.directory.directory import Directory
from app.directory.vault import Vault
from app.model.accounts import Customer
from app.model.errors import NotFound
from app.settings import Settings

_PAGE = 500


@asynccontextmanager
async def opened_directory(settings: Settings) -> AsyncIterator[Directory]:
    """Open the directory alone, and close it in the end."""
    url = settings.directory.url.get_secret_value()
    directory = await Directory.open(url, Vault(settings.vault_keys()))
    try:
        yield directory
    finally:
        await directory.close()


async def customer_of(directory: Directory, reference: str) -> Customer:
    """Return the customer of a reference; raises `NotFound`."""
    (customer,) = await directory.customers_by_reference([reference])
    if customer is None:
        raise NotFound(f"no customer has the reference {reference}; see `customers list`")
    return customer


async def all_customers(directory: Directory) -> AsyncIterator[Sequence[Customer]]:
    """Yield all customers by reference, a page of them at a time."""
    after = None
    while page := await directory.customers_page(
        search=None, after=after, before=None, limit=_PAGE
    ):
        yield page
        after = page[-1].reference
