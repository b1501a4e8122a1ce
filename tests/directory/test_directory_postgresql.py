"""A PostgreSQL that is away, comes back, refuses, or is of another kind than is needed."""

import asyncio
from collections.abc import Iterator
from time import monotonic

import asyncpg
import pytest
from directories import KEY, put
from places import Place
from postgres_server import (
    PASSWORD,
    USER,
    PostgresServer,
    needs_postgresql,
    postgres_server,
)
from redis_server import free_port

from app.directory.database import DirectoryUnavailable
from app.directory.directory import Directory
from app.directory.postgresql import _WRITERS
from app.directory.vault import Vault
from app.model.errors import ConfigurationError

pytestmark = needs_postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Start a server that no other test uses, so that it may be stopped."""
    with postgres_server() as server:
        yield server


@pytest.fixture
async def place(server: PostgresServer) -> Place:
    return Place(await server.new_database())


async def refused(url: str) -> str:
    with pytest.raises(ConfigurationError, match=r"^directory\.url: ") as caught:
        await Directory.open(url, Vault([KEY]))
    assert PASSWORD not in f"{caught.value} {caught.value.__context__}"
    return str(caught.value)


async def test_a_server_that_does_not_answer_is_given_up_soon_and_found_again(
    server: PostgresServer, place: Place
) -> None:
    async with place.opened() as directory:
        anna = await put(directory, "C-1")
        server.pause()
        began = monotonic()
        try:
            calls = [directory.customers_by_reference(["C-1"]) for _ in range(20)]
            answers = await asyncio.gather(
                *calls, directory.put_customer("C-2", None), return_exceptions=True
            )
            took = monotonic() - began
        finally:
            server.go_on()

        assert {type(answer) for answer in answers} == {DirectoryUnavailable}
        assert took < 9
        assert await directory.customers_by_reference(["C-1"]) == [anna]


async def test_a_server_that_was_restarted_is_used_again_at_once(
    server: PostgresServer, place: Place
) -> None:
    async with place.opened() as directory:
        anna = await put(directory, "C-1")
        server.stop()
        with pytest.raises(DirectoryUnavailable):
            await directory.customers_by_reference(["C-1"])
        server.start()

        answers = await asyncio.gather(
            *(directory.customers_by_reference(["C-1"]) for _ in range(20))
        )

    assert answers == [[anna]] * 20


async def test_a_caller_who_goes_away_leaves_the_directory_usable(place: Place) -> None:
    async with place.opened() as directory:
        anna = await put(directory, "C-1")
        for number in range(50):
            task = asyncio.create_task(directory.customers_by_reference(["C-1"]))
            await asyncio.sleep(number / 10_000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        assert await directory.customers_by_reference(["C-1"]) == [anna]


async def test_a_writer_who_waits_too_long_for_another_is_told_to_try_again(place: Place) -> None:
    async with place.opened() as directory:
        holder = await asyncpg.connect(place.url)
        await holder.execute(f"SELECT pg_advisory_lock({_WRITERS})")

        with pytest.raises(DirectoryUnavailable, match="try again"):
            await directory.put_customer("C-2", None)

        await holder.close()
        await directory.put_customer("C-2", None)


async def test_a_server_without_tls_is_refused_where_tls_is_asked_for(place: Place) -> None:
    assert "does not answer" in await refused(f"{place.url}?sslmode=require")
    directory = await Directory.open(f"{place.url}?sslmode=disable", Vault([KEY]))
    await directory.close()


async def test_what_cannot_be_opened_is_told_with_what_to_do(
    server: PostgresServer, place: Place
) -> None:
    connection = await asyncpg.connect(place.url)
    await connection.execute("DROP ROLE IF EXISTS reader")
    await connection.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    await connection.execute(
        "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
    )
    await connection.close()
    port = server.port
    host = f"127.0.0.1:{port}"

    assert "refuses the user" in await refused(f"postgresql://{USER}:wrong@{host}/postgres")
    assert "refuses the user" in await refused(f"postgresql://nobody:wrong@{host}/postgres")
    assert "no such database" in await refused(server.url("absent"))
    assert "grant CREATE" in await refused(place.url.replace(f"{USER}:{PASSWORD}", "reader:reader"))
    assert "in LATIN1" in await refused(server.url("latin"))
    nowhere = place.url.replace(f":{port}/", f":{free_port()}/")
    assert "does not answer" in await refused(nowhere)


async def test_every_text_is_compared_by_code_point(place: Place) -> None:
    async with place.opened():
        found = await place.run(
            "SELECT DISTINCT coalesce(collation_name, 'none') FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type LIKE 'character%' "
            "AND table_name <> 'directory_version'"
        )

    assert found == [("C",)]
