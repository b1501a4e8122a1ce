"""Databases of earlier and later releases, and several processes that open one at once."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from directories import KEY, START, TOKEN
from places import Place
from sqlalchemy import Connection

from app.directory.credentials import Kept, seal
from app.directory.database import Database
from app.directory.migrating import _context
from app.directory.tables import metadata
from app.directory.vault import Vault
from app.model.accounts import Account, Customer
from app.model.errors import ConfigurationError

ROOT = Path(__file__).parents[2]

# As the first release made them, which was for SQLite alone and noted no version.
FIRST_RELEASE = (
    """
    CREATE TABLE customers (
        id VARCHAR(16) NOT NULL, reference VARCHAR NOT NULL, display_name VARCHAR,
        searched VARCHAR NOT NULL, created_at DATETIME NOT NULL,
        PRIMARY KEY (id), UNIQUE (reference)
    )
    """,
    """
    CREATE TABLE accounts (
        id VARCHAR(16) NOT NULL, customer_id VARCHAR(16) NOT NULL, provider VARCHAR NOT NULL,
        label VARCHAR, external_id VARCHAR, status VARCHAR NOT NULL, linked_at DATETIME NOT NULL,
        credentials BLOB NOT NULL,
        PRIMARY KEY (id), FOREIGN KEY(customer_id) REFERENCES customers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE UNIQUE INDEX accounts_one_for_each_label
    ON accounts (customer_id, provider, coalesce(label, ''))
    """,
)
OPEN = """
import asyncio, sys
from app.directory.directory import Directory
from app.directory.vault import Vault

async def main():
    directory = await Directory.open(sys.argv[1], Vault([b"k" * 32]))
    print(await directory.customers_count(None))
    await directory.close()

asyncio.run(main())
"""


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    return Place(f"sqlite:///{tmp_path}/directory.db")


async def put_first_release(place: Place, customers: int) -> None:
    for statement in FIRST_RELEASE:
        await place.run(statement)
    instant = "2026-01-01 00:00:00.000000"
    for number in range(customers):
        key = f"{number:016x}"
        searched = f"c-{number}\x1fanna {number}"
        values = (key, f"C-{number}", f"Anna {number}", searched, instant)
        await place.run("INSERT INTO customers VALUES ($1, $2, $3, $4, $5)", *values)
        sealed = seal(Vault([KEY]), Kept(given=TOKEN, current=TOKEN), key, "cloud")
        linked = (key, key, "cloud", None, None, "ACTIVE", instant, sealed)
        await place.run("INSERT INTO accounts VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", *linked)


def opened_by_processes(place: Place, processes: int) -> list[tuple[int, str]]:
    """Open a place in so many processes at once; return how each ended and what it said."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, place.url],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        for _ in range(processes)
    ]
    return [(process.wait(60), process.communicate()[0].strip()) for process in running]


def differences(connection: Connection) -> list[object]:
    """Return how the tables differ from what the code knows, except for the search's index."""

    def is_compared(_: object, name: str | None, *__: object) -> bool:
        return not (name or "").startswith("customers_search")

    context = _context(connection, include_object=is_compared, compare_server_default=True)
    return list(compare_metadata(context, metadata))


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based")
@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
async def test_migrations_lead_to_the_tables_that_the_code_knows(place: Place) -> None:
    database = await Database.open(place.url)
    try:
        async with database.reading() as connection:
            found = await connection.run_sync(differences)
    finally:
        await database.close()

    assert found == []


async def test_the_database_of_the_first_release_is_taken_over_whole(sqlite_place: Place) -> None:
    await put_first_release(sqlite_place, customers=3)

    async with sqlite_place.opened() as directory:
        page = await directory.customers_page(search="NA 1", after=None, before=None, limit=10)
        ((account,),) = await directory.accounts_by_customer([page[0].id])
        credentials = await directory.credentials(account.id)
        count = await directory.customers_count(None)

    key = "0000000000000001"
    assert page == [Customer(key, "C-1", "Anna 1")]
    assert account == Account(key, key, "cloud", START)
    assert credentials == TOKEN
    assert count == 3


async def test_a_database_is_migrated_once_and_then_left_alone(place: Place) -> None:
    versions = []
    for _ in range(2):
        async with place.opened() as directory:
            await directory.put_customer("C-1", None)
        versions.append(await place.run("SELECT version_num FROM directory_version"))

    assert versions[0] == versions[1]
    assert len(versions[0]) == 1


async def test_a_database_of_a_later_release_is_refused_and_left_alone(place: Place) -> None:
    async with place.opened() as directory:
        await directory.put_customer("C-1", None)
    await place.run("UPDATE directory_version SET version_num = '9999'")

    with pytest.raises(ConfigurationError, match=r"^directory\.url: .* later release [^\n]*$"):
        async with place.opened():
            pass

    assert await place.run("SELECT reference FROM customers") == [("C-1",)]


async def test_processes_that_start_at_once_migrate_once(place: Place) -> None:
    assert opened_by_processes(place, 4) == [(0, "0")] * 4


async def test_processes_that_start_at_once_take_over_the_first_release(
    sqlite_place: Place,
) -> None:
    await put_first_release(sqlite_place, customers=20)

    assert opened_by_processes(sqlite_place, 4) == [(0, "20")] * 4


def test_the_migrations_are_in_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")

    steps = {file.name for file in (ROOT / "app/directory/migrations/versions").glob("*.py")}
    packed = {name.rpartition("/")[2] for name in zipfile.ZipFile(wheel).namelist()}
    assert steps <= packed
    assert len(steps) > 3
