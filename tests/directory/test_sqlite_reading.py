"""SQLite is read at once where nothing is to be waited for, and by a thread where something is."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from directories import KEY, link, put

from app.directory import sqlite_reading as reading
from app.directory.directory import Directory
from app.directory.server import Wanted
from app.directory.sqlite_reading import SQLiteReader
from app.directory.tables import accounts
from app.directory.vault import Vault

BY_ID = Wanted([accounts.c.id, accounts.c.provider, accounts.c.linked_at], accounts.c.id)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "directory.db"


@pytest.fixture
async def account_id(file: Path) -> str:
    """Make a directory in which an account is, and leave it."""
    directory = await Directory.open(f"sqlite:///{file}", Vault([KEY]))
    account = await link(directory, await put(directory, "C-1"))
    await directory.close()
    return account.id


@pytest.fixture
async def reader(file: Path) -> AsyncIterator[SQLiteReader]:
    opened = SQLiteReader(file, patience=5)
    yield opened
    await opened.close()


@contextmanager
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Hold the file as nobody does who serves: so that it cannot even be read."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        yield connection


async def longest_turn(asked: Awaitable[Any]) -> float:
    """Return for how long the event loop had no turn until the awaited was there, in seconds."""
    task, longest, last = asyncio.ensure_future(asked), 0.0, perf_counter()
    while not task.done():
        await asyncio.sleep(0.001)
        longest, last = max(longest, perf_counter() - last), perf_counter()
    await task
    return longest


async def test_what_is_read_at_once_and_by_the_thread_is_the_same(
    reader: SQLiteReader, account_id: str
) -> None:
    (at_once,) = await reader.rows(BY_ID, [account_id])
    was_in_thread = reader._thread is not None
    (found,) = await reader.rows(BY_ID, [account_id, *map(str, range(reading._FEW))])

    assert at_once == found
    assert (at_once.id, at_once.provider) == (account_id, "cloud")
    assert at_once.linked_at.tzinfo is not None
    assert (was_in_thread, reader._thread is not None) == (False, True)


async def test_what_would_have_to_be_waited_for_is_not_read_at_once(
    reader: SQLiteReader, account_id: str, file: Path
) -> None:
    with locked(file):
        at_once = reader.rows_at_once(BY_ID, [account_id])
    free = reader.rows_at_once(BY_ID, [account_id])
    unknown = reader.rows_at_once(BY_ID, ["0" * 16])

    assert at_once is None
    assert [row.id for row in free or ()] == [account_id]
    assert unknown == []


async def test_a_lock_is_waited_for_without_holding_up_anybody_else(
    reader: SQLiteReader, account_id: str, file: Path
) -> None:
    with locked(file) as holder:
        asyncio.get_running_loop().call_later(0.5, holder.close)
        longest = await longest_turn(reader.rows(BY_ID, [account_id]))

    assert longest < 0.4


async def test_a_wait_for_a_lock_in_the_event_loop_would_be_noticed(
    account_id: str, file: Path
) -> None:
    careless = reading._Reading(file, patience=0.5)

    async def rows() -> None:
        with pytest.raises(sqlite3.OperationalError):
            careless.rows(BY_ID, [account_id])

    with locked(file):
        longest = await longest_turn(rows())
    careless.end()

    assert longest > 0.4


async def test_after_reads_that_took_long_the_thread_reads_for_a_while(
    reader: SQLiteReader, account_id: str, file: Path
) -> None:
    never_quick = SQLiteReader(file, patience=5, slow_seconds=0)
    in_thread = []
    for one in (reader, never_quick):
        for _ in range(reading._SLOW_IN_A_ROW + 1):
            await one.rows(BY_ID, [account_id])
            in_thread.append(one._thread is not None)
    await never_quick.close()

    assert in_thread == [False] * 4 + [False] * 3 + [True]
