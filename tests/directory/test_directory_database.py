"""The directory's database: many writers, failures, and what is no directory."""

import asyncio
import gc
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from directories import KEY, put
from places import Place

from app.directory.database import DirectoryUnavailable
from app.directory.directory import Directory
from app.directory.outcome import Change
from app.directory.vault import Vault
from app.model.errors import ConfigurationError


async def test_writers_beside_each_other_lose_nothing(directory: Directory, place: Place) -> None:
    # Two directories share nothing but the file, as two processes do.
    async with place.opened() as other:
        changes = await asyncio.gather(
            *(
                each.put_customer(f"C-{number}", None)
                for number in range(20)
                for each in (directory, other)
            )
        )

        assert changes.count(Change.CREATED) == changes.count(Change.UNCHANGED) == 20
        assert await other.customers_count(None) == 20


async def test_a_new_directory_can_be_opened_many_times_at_once(place: Place) -> None:
    async with AsyncExitStack() as stack:
        many = await asyncio.gather(*(stack.enter_async_context(place.opened()) for _ in range(8)))

        assert [await each.customers_count(None) for each in many] == [0] * 8


# SQLite's driver drops the connection of a cancelled statement; Python 3.13 remarks on that.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_write_that_is_cancelled_leaves_the_directory_usable(directory: Directory) -> None:
    for number in range(20):
        task = asyncio.create_task(directory.put_customer(f"C-{number}", None))
        await asyncio.sleep(number / 5000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    gc.collect()
    assert (await put(directory, "last")).reference == "last"


async def test_a_database_that_fails_says_so_without_what_was_asked(
    directory: Directory, place: Place
) -> None:
    await place.run("ALTER TABLE customers RENAME TO elsewhere")

    for call in (
        directory.customers_by_reference(["secret-reference"]),
        directory.put_customer("secret-reference", None),
    ):
        with pytest.raises(DirectoryUnavailable, match="try again") as caught:
            await call
        assert "secret-reference" not in f"{caught.value} {caught.value.__context__}"


@pytest.mark.parametrize("name", ["absent/folder.db", "no-database.db", "folder"])
async def test_a_file_that_cannot_be_the_database_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "no-database.db").write_text("nothing of the kind" * 100, "utf-8")
    (tmp_path / "folder").mkdir()

    with pytest.raises(ConfigurationError, match=r"directory\.url"):
        await Directory.open(f"sqlite:///{tmp_path}/{name}", Vault([KEY]))


@pytest.mark.parametrize("address", ["sqlite:///", "mysql://h/d", "x.db"])
async def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"directory\.url"):
        await Directory.open(address, Vault([KEY]))
