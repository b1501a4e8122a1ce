"""The directory's database: opened once, read and written in transactions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.directory.tables import metadata
from app.model.errors import ConfigurationError, GatewayError

_SQLITE = "sqlite:///"
_WRITES = "directory_writes"
# Long enough for another process to finish an import line, short of a request's deadline.
_BUSY_TIMEOUT_MS = 5000


class DirectoryUnavailable(GatewayError):
    """The directory's database did not answer; nobody's turn, try again."""


class Database:
    """A SQLite file that several tasks and processes read and write at the same time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Writers of this process queue here, in order, instead of polling SQLite's lock.
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, url: str) -> Self:
        """Return the database at `url`, made if it is new; `ConfigurationError` if it cannot be."""
        path = _path(url)
        try:
            _make_private(path)
        except OSError as error:
            reason = (error.strerror or "it cannot be opened").lower()
            raise ConfigurationError(
                f"directory.url: its file cannot be opened ({reason}); name one that can be written"
            ) from None
        database = cls(_engine(path))
        try:
            async with database.writing() as connection:
                await connection.run_sync(metadata.create_all)
        except DirectoryUnavailable:
            await database.close()
            raise ConfigurationError(
                "directory.url: its file is not a database of this gateway or cannot be written; "
                "name another one"
            ) from None
        return database

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one moment of the database."""
        try:
            async with self._connection() as connection:
                yield connection
        except SQLAlchemyError:
            # The driver's error may hold what was asked for.
            raise DirectoryUnavailable("the directory could not be read; try again") from None

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that nobody else writes beside; kept durably when it ends well."""
        try:
            async with self._turn, self._connection() as plain:
                connection = await plain.execution_options(**{_WRITES: True})
                async with connection.begin():
                    yield connection
        except SQLAlchemyError:
            raise DirectoryUnavailable("the directory could not be written; try again") from None

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection; one that was being opened for a caller who went away is closed."""
        opening = asyncio.ensure_future(self._engine.connect().start())
        try:
            connection = await asyncio.shield(opening)
        except asyncio.CancelledError:
            await (await opening).close()
            raise
        try:
            yield connection
        finally:
            await connection.close()


def _path(url: str) -> Path:
    if not url.startswith(_SQLITE) or url == _SQLITE:
        raise ConfigurationError('directory.url: write "sqlite:///FILE"')
    return Path(url.removeprefix(_SQLITE))


def _make_private(path: Path) -> None:
    # Names and sealed credentials are nobody else's; SQLite gives its other files the same mode.
    path.touch(mode=0o600, exist_ok=True)


def _engine(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)), hide_parameters=True
    )
    event.listen(engine.sync_engine, "connect", _set_up)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _: object) -> None:  # noqa: ANN401 (the driver's own, untyped)
    # The driver begins transactions late and by itself unless told not to; `_begin` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # A renewed token is used once it is kept: a commit must survive a power cut.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A transaction that reads before it writes must have the lock from its start: SQLite
    # refuses, without waiting, to let it write once another one did.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
