"""
Reading from SQLite, past the library.

The driver for asyncio sends each step of a read to a thread and back: to connect, to begin, to ask,
to fetch, to end, which takes a millisecond. A read by an index takes SQLite 8 µs, as writers do not
hold readers up and the system has the file's pages in memory; a thread that it is sent to takes 100
to 200. So it is done at once. Where there is a lock to wait for, and for a while after reads that
took long, a thread does it, so that nobody else waits for that.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from app.directory.server import Wanted

_DIALECT = SQLiteDialect_pysqlite()
# More are a batch, for which nobody waits who is in a hurry.
_FEW = 20
# A disk that has to be waited for takes longer than that, again and again; a process that had to
# give its processor away may seem to have waited for it once.
_SLOW_SECONDS = 0.02
_SLOW_IN_A_ROW = 3
_SLOW_FOR_SECONDS = 10.0


class SQLiteReader:
    """Waits `patience` seconds at most for a lock; a read of `slow_seconds` is a slow one."""

    def __init__(self, path: Path, patience: float, *, slow_seconds: float = _SLOW_SECONDS) -> None:
        self._at_once = _Reading(path, patience=0)
        self._patient = _Reading(path, patience)
        self._thread: ThreadPoolExecutor | None = None
        self._slow_seconds = slow_seconds
        self._slow = 0
        self._slow_until = 0.0

    async def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        # Where it cannot be read at once, it is waited for elsewhere.
        if (found := self.rows_at_once(wanted, values)) is not None:
            return found
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="directory")
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._patient.rows, wanted, values
        )

    def rows_at_once(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any] | None:
        began = monotonic()
        if len(values) > _FEW or began < self._slow_until:
            return None
        try:
            found = self._at_once.rows(wanted, values)
        except sqlite3.OperationalError:
            return None
        self._note(monotonic() - began)
        return found

    async def close(self) -> None:
        self._at_once.end()
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._patient.end)
            await asyncio.to_thread(self._thread.shutdown)

    def _note(self, seconds: float) -> None:
        """Leave reads to the thread for a while once several in a row took long."""
        self._slow = self._slow + 1 if seconds > self._slow_seconds else 0
        if self._slow >= _SLOW_IN_A_ROW:
            self._slow_until = monotonic() + _SLOW_FOR_SECONDS


class _Reading:
    """A connection, made when it is needed and again after a failure, always in one thread."""

    def __init__(self, path: Path, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._connection: sqlite3.Connection | None = None

    def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        try:
            # It begins nothing: a read sees what was written before it.
            if self._connection is None:
                self._connection = self._opened()
            found = self._connection.execute(_statement(wanted, len(values)), values).fetchall()
        except BaseException:
            self.end()
            raise
        return list(map(_reading(wanted), found))

    def end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        return connection


@cache
def _statement(wanted: Wanted, count: int) -> str:
    names = ", ".join(column.name for column in wanted.columns)
    marks = ", ".join("?" * count)
    return f"SELECT {names} FROM {wanted.key.table} WHERE {wanted.key.name} IN ({marks})"  # noqa: S608 - names of ours


@cache
def _reading(wanted: Wanted) -> Callable[[Sequence[Any]], Any]:
    """Return what makes a row of what the driver gives, each value as its column has it."""
    names = [column.name for column in wanted.columns]
    kept = [column.type.dialect_impl(_DIALECT) for column in wanted.columns]
    kinds = [kind.result_processor(_DIALECT, None) for kind in kept]
    changing = [(name, read) for name, read in zip(names, kinds, strict=True) if read is not None]

    def read_row(given: Sequence[Any]) -> SimpleNamespace:
        row = dict(zip(names, given, strict=True))
        for name, read in changing:
            row[name] = read(row[name])
        return SimpleNamespace(**row)

    return read_row
