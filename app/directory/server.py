"""What the directory asks of a kind of database."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Column
from sqlalchemy.ext.asyncio import AsyncEngine

# How the address of a PostgreSQL begins.
POSTGRESQL = "postgresql://"
# The execution option of a transaction that writes.
WRITES = "directory_writes"
# SQLite allows 32,766 values in a statement, older ones 999.
MOST_VALUES = 500


@dataclass(frozen=True, eq=False)
class Wanted:
    """Some columns of a table, for rows that are known by what they have in one of them."""

    columns: Sequence[Column[Any]]
    key: Column[Any]


class Reader(Protocol):
    """Looks rows up, all of one call as they are at one moment."""

    async def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        """Return the rows whose key is one of the values, in no order.

        Each has its values by the names of the columns. Raises as the driver does.
        """

    def rows_at_once(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any] | None:
        """Return them without waiting for anything; None where that cannot be."""

    async def close(self) -> None:
        """Close what only this reader has."""


@dataclass(frozen=True)
class Server:
    """
    One database of some kind, not connected yet.

    `engine` makes its connections, whose waits for another's lock end after so many seconds;
    `reader` reads by them, or by its own.
    `patience` is after how many seconds a read or a write as a whole is given up, None where it
    ends by itself. `reading` are execution options of reads. `failures` are errors of its driver
    that SQLAlchemy does not raise as its own. `refused` says why the database cannot be opened and
    what to do, in half a line. `ended` returns when nothing of its closed connections is left that
    would speak to the event loop.
    """

    engine: Callable[[float], AsyncEngine]
    reader: Callable[[AsyncEngine, float], Reader]
    patience: float | None
    reading: Mapping[str, object]
    finishes_opening: bool
    failures: tuple[type[Exception], ...]
    refused: Callable[[BaseException], str]
    ended: Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Return: a closed connection leaves nothing behind."""
