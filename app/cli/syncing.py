"""Filling the cache with whole histories."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import typer

from app.cli.bars import Bars
from app.cli.filling import Filling, Owned
from app.cli.gateway import opened_gateway
from app.cli.opening import all_customers
from app.directory.directory import Directory
from app.model.accounts import Customer
from app.model.errors import ConfigurationError
from app.redis.connection import answers
from app.settings import Settings, load


def fill_cache(config: Path, references: Sequence[str]) -> None:
    """Read the whole histories of these customers, or of all where none is named."""
    settings = load(config)
    if settings.cache.url.get_secret_value() == "embedded://":
        raise ConfigurationError(
            "cache.url: embedded:// would end with this command, and all that it read; "
            "set the redis:// address that the gateway uses too"
        )
    if not asyncio.run(_sync(settings, references)):
        raise typer.Exit(1)


async def _sync(settings: Settings, references: Sequence[str]) -> bool:
    """Return whether everything that was asked for is in the cache."""
    await _require_redis(settings)
    async with opened_gateway(settings) as opened:
        with Bars() as bars:
            filling = Filling(opened, bars)
            found, unknown = await _named(opened.directory, references)
            for reference in unknown:
                bars.error(f"no customer has the reference {reference}; see `customers list`")
            customers = _one_page(found) if references else all_customers(opened.directory)
            await filling.fill(_owned(opened.directory, customers))
        typer.echo(str(filling))
    # A Redis that goes away breaks no reading: nothing else would tell that nothing is kept.
    await _require_redis(settings)
    return not unknown and not filling.failed


async def _require_redis(settings: Settings) -> None:
    url = settings.cache.url
    if not await answers(url.get_secret_value()):
        raise ConfigurationError(f"cache.url: {url} does not answer; start it and sync again")


async def _named(
    directory: Directory, references: Sequence[str]
) -> tuple[list[Customer], list[str]]:
    """Return the customers of these references, and the references that nobody has."""
    found = await directory.customers_by_reference(references)
    unknown = [reference for reference, one in zip(references, found, strict=True) if one is None]
    return [one for one in found if one], unknown


async def _one_page(customers: Sequence[Customer]) -> AsyncIterator[Sequence[Customer]]:
    yield customers


async def _owned(
    directory: Directory, pages: AsyncIterator[Sequence[Customer]]
) -> AsyncIterator[Owned]:
    """Yield each customer's accounts, the accounts of one page of customers at a time."""
    async for customers in pages:
        accounts = await directory.accounts_by_customer([one.id for one in customers])
        for customer, linked in zip(customers, accounts, strict=True):
            for account in linked:
                yield customer, account
