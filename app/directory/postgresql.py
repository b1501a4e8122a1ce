"""PostgreSQL: a server that may be away, and comes back."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import asyncpg
from sqlalchemy import Connection, Select, bindparam, event, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.directory.server import WRITES, Reader, Server, Wanted, at_once

# Connections of one process; a server takes 100 unless it is told otherwise.
_CONNECTIONS = 8
_CONNECT_SECONDS = 3.0
# A whole read or write: half of what a request may take unless it is told otherwise.
_PATIENCE_SECONDS = 5.0
# Writers wait for each other here. Any number that no other program takes as well.
_WRITERS = 0x63726564_6974


def postgresql(url: str) -> Server:
    """Return the server and database at `url`; its options are those of libpq, as `sslmode`."""
    return Server(
        engine=lambda patience: _engine(url, patience),
        reader=_reader,
        patience=_PATIENCE_SECONDS,
        reading={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        finishes_opening=False,
        failures=(asyncpg.PostgresError, asyncpg.InterfaceError),
        refused=_refused,
        ended=at_once,
    )


def _engine(url: str, patience: float) -> AsyncEngine:
    milliseconds = str(int(patience * 1000))
    limits = {
        "application_name": "credit-gateway",
        # A plan for any values reads the whole table for a search that one for these need not.
        "plan_cache_mode": "force_custom_plan",
        "statement_timeout": milliseconds,
        "lock_timeout": milliseconds,
        # Whoever was frozen or cut off between two statements gives the writers' lock back.
        "idle_in_transaction_session_timeout": milliseconds,
    }

    async def connect() -> Any:  # noqa: ANN401 - the driver has no types
        return await asyncpg.connect(url, timeout=_CONNECT_SECONDS, server_settings=limits)

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        hide_parameters=True,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=_PATIENCE_SECONDS,
        # After a restart of the server its connections are replaced before they are used.
        pool_pre_ping=True,
        pool_recycle=1800,
    )
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


class _Reader:
    """Asks without a transaction, which would take a round trip to begin and one to end."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        async with self._engine.connect() as connection:
            found = await connection.execute(_statement(wanted), {"values": values})
            rows: Sequence[Any] = found.all()
            return rows

    def rows_at_once(self, wanted: Wanted, values: Sequence[str]) -> None:
        """Return None: a server has to be waited for."""

    async def close(self) -> None:
        """Leave the connections to the engine."""


@cache
def _statement(wanted: Wanted) -> Select[Any]:
    return select(*wanted.columns).where(wanted.key.in_(bindparam("values", expanding=True)))


def _reader(engine: AsyncEngine, patience: float) -> Reader:
    del patience
    return _Reader(engine)


def _begin(connection: Connection) -> None:
    # As in SQLite one transaction writes at a time, so that what it read before still holds.
    if connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")


def _refused(error: BaseException) -> str:
    found: BaseException | None = error
    while found and not isinstance(found, asyncpg.PostgresError):
        found = found.__cause__ or found.__context__
    match found:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "the server refuses the user or the password; correct them"
        case asyncpg.InvalidCatalogNameError():
            return "the server has no such database; create it or name another one"
        case asyncpg.InsufficientPrivilegeError():
            return "its user may not create tables there; grant CREATE on the database and schema"
        case asyncpg.PostgresError() as cause:
            return f"the server refuses the database's tables ({type(cause).__name__})"
    return "the server does not answer; start it or name another one"
