"""Where directories of tests are kept: in SQLite and in PostgreSQL."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import pytest
from directories import KEY, clock
from postgres_server import PostgresServer, needs_postgresql, postgres_server

from app.directory.directory import Directory
from app.directory.vault import Vault


@dataclass(frozen=True)
class Place:
    """A database of one directory, empty until it is opened."""

    url: str
    now: Callable[[], datetime] = field(default_factory=clock)
    violation: ClassVar = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)

    @property
    def is_postgresql(self) -> bool:
        return self.url.startswith("postgresql://")

    @asynccontextmanager
    async def opened(self, *keys: bytes) -> AsyncIterator[Directory]:
        directory = await Directory.open(self.url, Vault(keys or [KEY]), now=self.now)
        try:
            yield directory
        finally:
            await directory.close()

    async def run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement past the directory, its values written $1, $2; return its rows."""
        if self.is_postgresql:
            connection = await asyncpg.connect(self.url)
            try:
                return [tuple(row) for row in await connection.fetch(statement, *values)]
            finally:
                await connection.close()
        file = self.url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(file)) as plain, plain:
            return list(plain.execute(statement.replace("$", "?"), values))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests; each takes a database of its own."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return an empty place in each kind of database."""
    if request.param == "sqlite":
        return Place(f"sqlite:///{tmp_path}/directory.db")
    server: PostgresServer = request.getfixturevalue("postgres")
    return Place(await server.new_database())


@pytest.fixture
async def directory(place: Place) -> AsyncIterator[Directory]:
    """Return a new directory in each kind of database."""
    async with place.opened() as directory:
        yield directory
