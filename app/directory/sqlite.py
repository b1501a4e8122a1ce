"""SQLite: a file that several tasks and processes read and write at the same time."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.directory.server import WRITES, Server
from app.directory.sqlite_reading import SQLiteReader
from app.model.errors import ConfigurationError

PREFIX = "sqlite:///"
# The first release that materializes on demand, and finds three characters in a row.
_OLDEST = (3, 35)
_REFUSED = "its file is not a database of this gateway or cannot be written; name another one"
# A thread that was given up amid a wait for another process's lock ends after that.
_LONGEST_END_SECONDS = 2.0


def sqlite(url: str) -> Server:
    """Return the file at `url`, made if it is new; `ConfigurationError` if it cannot be."""
    if not url.startswith(PREFIX) or url == PREFIX:
        raise ConfigurationError('directory.url: write "sqlite:///FILE" or "postgresql://…"')
    if sqlite3.sqlite_version_info < _OLDEST:
        raise ConfigurationError(
            f"directory.url: this Python has SQLite {sqlite3.sqlite_version}, and 3.35 is needed; "
            "install a newer one or use PostgreSQL"
        )
    path = Path(url.removeprefix(PREFIX))
    try:
        # Names and sealed credentials are nobody else's; SQLite's other files get the same mode.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        raise ConfigurationError(
            f"directory.url: its file cannot be opened ({reason}); name one that can be written"
        ) from None
    _prove(path)
    threads: WeakSet[Thread] = WeakSet()
    return Server(
        engine=lambda patience: _engine(path, patience, threads),
        reader=lambda _, patience: SQLiteReader(path, patience),
        # A wait of SQLite's ends by itself, and cannot be ended.
        patience=None,
        reading={},
        # A driver that opens a connection for somebody who went away leaves it open.
        finishes_opening=True,
        # What the reader asks for does not pass the library.
        failures=(sqlite3.Error,),
        refused=lambda _: _REFUSED,
        ended=lambda: _ended(threads),
    )


def _prove(path: Path) -> None:
    """Refuse what is no database here: the driver's thread outlives an opening that fails."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.Error:
        raise ConfigurationError(f"directory.url: {_REFUSED}") from None


async def _ended(threads: WeakSet[Thread]) -> None:
    """Wait for the threads of closed connections, which tell the event loop that they end."""
    for thread in list(threads):
        await asyncio.to_thread(thread.join, _LONGEST_END_SECONDS)


def _engine(path: Path, patience: float, threads: WeakSet[Thread]) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)), hide_parameters=True
    )

    def set_up(connection: Any, _: object) -> None:  # noqa: ANN401 (the driver's own, untyped)
        threads.add(connection.driver_connection._thread)  # noqa: SLF001 (told nowhere else)
        # The driver begins transactions late and by itself unless told not to; `_begin` does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        cursor.execute("PRAGMA journal_mode = WAL")
        # A renewed token is used once it is kept: a commit must survive a power cut.
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    event.listen(engine.sync_engine, "connect", set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    # A transaction that reads before it writes must have the lock from its start: SQLite
    # refuses, without waiting, to let it write once another one did.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
