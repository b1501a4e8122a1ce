"""Directories for tests, each on a file of its own, with a clock that counts seconds."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from app.directory import Directory, Vault
from app.model.accounts import Account, Customer

KEY = b"k" * 32
TOKEN = {"refreshToken": "token-1"}
START = datetime(2026, 1, 1, tzinfo=UTC)


def clock() -> Callable[[], datetime]:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/directory.db"


@asynccontextmanager
async def opened(folder: Path, *keys: bytes) -> AsyncIterator[Directory]:
    directory = await Directory.open(url(folder), Vault(keys or [KEY]), now=clock())
    try:
        yield directory
    finally:
        await directory.close()


async def put(directory: Directory, reference: str, name: str | None = None) -> Customer:
    await directory.put_customer(reference, name)
    (customer,) = await directory.customers_by_reference([reference])
    assert customer is not None
    return customer


async def link(directory: Directory, customer: Customer, label: str | None = None) -> Account:
    await directory.put_account(customer.id, "cloud", label, TOKEN, None)
    ((*_, account),) = await directory.accounts_by_customer([customer.id])
    return account


def altered(folder: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(folder / "directory.db")) as connection, connection:
        connection.execute(statement, values)
