"""A gateway is ready soon: it loads what it uses, and that before anybody asks."""

import asyncio
import gc
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import IO

import httpx
import pytest
from alembic.script import ScriptDirectory
from commands import COMMAND
from draining import client, is_ready
from figures import note
from redis_server import RedisServer, needs_redis, redis_server
from world import configuration, import_customers

from app import settings
from app.directory.version import NEWEST
from app.sandbox import Sandbox, SandboxServer
from app.server import garbage

# What a start must not wait for where Redis is elsewhere and the directory is a file, up to date.
UNUSED = (
    "alembic",
    "app.sandbox",
    "asyncpg",
    "fakeredis",
    "mako",
    "sqlalchemy.dialects.postgresql",
)
USED = ("app.main", "fastapi", "redis.asyncio", "sqlalchemy.dialects.sqlite", "strawberry")
# Most of what is loaded, which no start can do without. A start takes 1.4 times as long; it took
# twice as long while it loaded the unused ones too, and looked for garbage among all of them.
LIBRARIES = "import fastapi, redis.asyncio, sqlalchemy.ext.asyncio, strawberry"
MOST_TIMES_LIBRARIES = 1.7
# Python then writes to standard error what it loads.
LISTING = {"PYTHONPROFILEIMPORTTIME": "1"}
# Parts of the standard library that are loaded with the first name of a host or a written time.
LOADED_LATE = {"_strptime", "encodings.idna", "stringprep"}
QUESTION = """{ customer(reference: "C-1001") {
  creditChanges(first: 10) { nodes { id occurredAt amount { amount } } sources { state } }
  payments(first: 10) { nodes { id } sources { state } } } }"""


@pytest.fixture
def providers() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox()) as one:
        yield one


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as one:
        yield one


def configured(folder: Path, providers: SandboxServer, redis: RedisServer) -> Path:
    """Write a configuration whose directory is up to date and has the sample customers."""
    file = configuration(folder, providers.url, f'[cache]\nurl = "{redis.url}"\n')
    customers = providers.sandbox.sample_customers()
    asyncio.run(import_customers(settings.load(file, {}), customers))
    return file


@contextmanager
def started(
    config: Path, err: IO[str] | None = None, more: Mapping[str, str] = {}
) -> Iterator[str]:
    """Serve a gateway, which is ready; it is killed in the end."""
    with subprocess.Popen(
        [COMMAND, "serve", "--config", config, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=err or subprocess.DEVNULL,
        text=True,
        # Modules are compiled once, as an installation does it.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **more},
    ) as process:
        try:
            assert process.stdout
            found = re.search(r"(http://\S+)/graphql", process.stdout.readline())
            assert found, "a gateway did not start"
            asyncio.run(until_ready(found[1]))
            yield found[1]
        finally:
            process.kill()


async def until_ready(origin: str) -> None:
    async with client(origin) as http, asyncio.timeout(60):
        while not await is_ready(http):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.01)


@contextmanager
def listed(config: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Serve a gateway that writes down what it loads; yields its origin and that file."""
    file = folder / "loaded.txt"
    with file.open("w") as err, started(config, err, LISTING) as origin:
        yield origin, file


def loaded(file: Path) -> list[str]:
    """Return the names of the modules in the order in which they were loaded."""
    lines = (line for line in file.read_text().splitlines() if line.startswith("import time:"))
    return [line.rpartition("|")[2].strip() for line in lines]


def among(modules: list[str], packages: tuple[str, ...]) -> set[str]:
    """Return of these packages those of which something was loaded."""
    dotted = [f"{module}." for module in modules]
    return {one for one in packages if any(name.startswith(f"{one}.") for name in dotted)}


def seconds_of_starts(config: Path, times: int, more: Mapping[str, str] = {}) -> float:
    """Return the processor time of a start, the least of so many."""

    def seconds() -> float:
        before = spent()
        with started(config, more=more):
            pass
        return spent() - before

    return min(seconds() for _ in range(times))


def seconds_of_libraries(times: int) -> float:
    def seconds() -> float:
        before = spent()
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        subprocess.run([sys.executable, "-c", LIBRARIES], check=True, env=environment)
        return spent() - before

    return min(seconds() for _ in range(times))


def spent() -> float:
    """Return the processor time of all processes that were started from here and have ended."""
    usage = getrusage(RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def test_the_newest_version_is_that_of_the_last_migration() -> None:
    with as_file(files("app.directory") / "migrations") as folder:
        head = ScriptDirectory(str(folder)).get_current_head()

    assert head == NEWEST


@needs_redis
def test_a_start_loads_nothing_that_it_does_not_use(
    tmp_path: Path, providers: SandboxServer, redis: RedisServer
) -> None:
    with listed(configured(tmp_path, providers, redis), tmp_path) as (_, file):
        modules = loaded(file)

    assert not among(modules, UNUSED)
    assert among(modules, USED) == set(USED)


def test_what_a_start_uses_of_that_is_seen_to_be_loaded(
    tmp_path: Path, providers: SandboxServer
) -> None:
    # Its directory is new, and its Redis within it.
    with listed(configuration(tmp_path, providers.url), tmp_path) as (_, file):
        modules = loaded(file)

    assert among(modules, UNUSED) >= {"alembic", "fakeredis", "mako"}


@needs_redis
def test_no_first_request_waits_for_a_module(
    tmp_path: Path, providers: SandboxServer, redis: RedisServer
) -> None:
    with listed(configured(tmp_path, providers, redis), tmp_path) as (origin, file):
        before = len(loaded(file))
        with httpx.Client(base_url=origin, timeout=30, trust_env=False) as http:
            answer = http.post("/graphql", json={"query": QUESTION}).json()
            refused = http.post("/graphql", json={"query": "{ nothing }"}).json()
            page = http.get("/graphql", headers={"Accept": "text/html"})
            metrics = http.get("/metrics")
        late = loaded(file)[before:]

    assert "errors" not in answer
    assert "errors" in refused
    assert page.is_success
    assert metrics.is_success
    assert set(late) <= LOADED_LATE


def test_the_collector_rests_while_modules_are_loaded_and_works_afterwards() -> None:
    frozen = gc.get_freeze_count()
    with garbage.loading():
        rested = not gc.isenabled()

    assert rested
    assert gc.isenabled()
    # Nothing was loaded here, so nothing is left out for good.
    assert gc.get_freeze_count() == frozen


@needs_redis
@pytest.mark.alone
def test_a_start_takes_little_more_than_to_load_its_libraries(
    tmp_path: Path, providers: SandboxServer, redis: RedisServer
) -> None:
    config = configured(tmp_path, providers, redis)

    libraries, start = seconds_of_libraries(4), seconds_of_starts(config, 4)
    # It finds no compiled modules, which takes long.
    slow = seconds_of_starts(config, 1, {"PYTHONPYCACHEPREFIX": str(tmp_path / "none")})

    figure = f"{start / libraries:.2f} x"
    note(
        "processor time of a start, against loading its libraries",
        figure,
        f"{MOST_TIMES_LIBRARIES} x",
    )
    assert start < MOST_TIMES_LIBRARIES * libraries
    assert slow > MOST_TIMES_LIBRARIES * libraries
