"""The directory's database: opened once, read and written in transactions."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.directory.server import POSTGRESQL, WRITES, Server, Wanted
from app.directory.sqlite import sqlite
from app.directory.version import is_newest
from app.model.errors import ConfigurationError, GatewayError

# Long enough for another process to finish an import line, short of a request's deadline.
_PATIENCE_SECONDS = 5.0
# Long enough for another process to bring a database of millions of customers up to date.
_MIGRATION_SECONDS = 1800.0
# All that is told of it: the driver's error may hold what was asked for.
_UNREAD = "the directory could not be read; try again"


class DirectoryUnavailable(GatewayError):
    """The directory's database did not answer; nobody's turn, try again."""


class Database:
    """A database that several tasks and processes read and write at the same time."""

    def __init__(self, server: Server, engine: AsyncEngine, patience: float | None) -> None:
        self._server = server
        self._engine = engine
        self._reader = server.reader(engine, _PATIENCE_SECONDS)
        self._patience = patience
        self._failures: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, *server.failures)
        # Writers of this process queue here, in order, instead of at the database.
        self._turn = asyncio.Lock()
        self._on_write: list[Callable[[], Awaitable[None]]] = []

    @classmethod
    async def open(cls, url: str) -> Self:
        """Return the database at `url`, brought up to date; `ConfigurationError` if it cannot."""
        server = _server(url)
        try:
            await cls._migrate(server)
        except DirectoryUnavailable as error:
            # A driver's error may hold what was asked for; what is said of it here does not.
            reason = server.refused(error.__context__ or error)
            raise ConfigurationError(f"directory.url: {reason}") from None
        return cls(server, server.engine(_PATIENCE_SECONDS), server.patience)

    @classmethod
    async def _migrate(cls, server: Server) -> None:
        patient = cls(server, server.engine(_MIGRATION_SECONDS), None)
        try:
            async with patient.reading() as connection:
                if await connection.run_sync(is_newest):
                    return
            # It takes a tenth of a start to load, and is needed once in a release.
            from app.directory.migrating import migrate  # noqa: PLC0415

            async with patient.writing() as connection:
                await connection.run_sync(migrate)
        finally:
            await patient.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.close()
        await self._engine.dispose()
        await self._server.ended()

    def on_write(self, written: Callable[[], Awaitable[None]]) -> None:
        """Await `written` after each transaction that may have written what lookups show."""
        self._on_write.append(written)

    async def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        """Return the rows whose key is one of the values, as they are at one moment."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._reader.rows(wanted, values)
        except self._failures:
            raise DirectoryUnavailable(_UNREAD) from None

    def rows_at_once(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any] | None:
        """Return the same without waiting for anything; None where that cannot be."""
        try:
            return self._reader.rows_at_once(wanted, values)
        except self._failures:
            raise DirectoryUnavailable(_UNREAD) from None

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one moment of the database."""
        try:
            async with asyncio.timeout(self._patience), self._connection() as connection:
                await connection.execution_options(**self._server.reading)
                yield connection
        except self._failures:
            raise DirectoryUnavailable(_UNREAD) from None

    @asynccontextmanager
    async def writing(self, *, shown: bool = True) -> AsyncIterator[AsyncConnection]:
        """Give a connection that nobody else writes beside; kept durably when it ends well.

        What is written of credentials alone is `shown` by no lookup.
        """
        try:
            async with (
                asyncio.timeout(self._patience),
                self._turn,
                self._connection() as connection,
            ):
                await connection.execution_options(**{WRITES: True})
                async with connection.begin():
                    yield connection
        except self._failures:
            raise DirectoryUnavailable("the directory could not be written; try again") from None
        finally:
            for written in self._on_write if shown else ():
                await written()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection; one that was being opened for a caller who went away is closed."""
        if not self._server.finishes_opening:
            async with self._engine.connect() as connection:
                yield connection
            return
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


def _server(url: str) -> Server:
    if not url.startswith(POSTGRESQL):
        return sqlite(url)
    # Its driver is loaded where it is used.
    from app.directory.postgresql import postgresql  # noqa: PLC0415

    return postgresql(url)
