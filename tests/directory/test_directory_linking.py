"""Linking is done to its end, forgets what was read with former credentials, and loses no token."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from directories import KEY, put

from app.directory.directory import Change, Directory
from app.directory.importing import import_lines
from app.directory.lines import AccountLine
from app.directory.linking import Linking
from app.directory.vault import Vault
from app.model.accounts import ProviderKind
from app.model.errors import NotFound, UpstreamUnauthorized, UpstreamUnavailable

CLOUD = ProviderKind.CLOUDREVE


@pytest.fixture
async def directory(tmp_path: Path) -> AsyncIterator[Directory]:
    one = await Directory.open(f"sqlite:///{tmp_path}/directory.db", Vault([KEY]))
    yield one
    await one.close()


def line(token: str) -> AccountLine:
    return AccountLine("cloud", CLOUD, None, {"refreshToken": token})


class Site:
    """Takes each token once and gives another for it, when it may."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_asked = asyncio.Event()
        self.spent: list[str] = []

    async def __call__(self, _: str, credentials: Mapping[str, str]) -> Mapping[str, str]:
        token = credentials["refreshToken"]
        if token in self.spent:
            raise UpstreamUnauthorized("the token is used up")
        self.spent.append(token)
        self.is_asked.set()
        await self.may_answer.wait()
        return {"refreshToken": f"{token}+"}


class Forgotten:
    """Notes what is forgotten."""

    def __init__(self) -> None:
        self.revisions: list[Mapping[str, int]] = []

    async def __call__(self, revisions: Mapping[str, int]) -> None:
        await asyncio.sleep(0)
        self.revisions.append(revisions)


async def test_what_was_read_with_former_credentials_is_forgotten_once(
    directory: Directory,
) -> None:
    forgotten = Forgotten()
    linking = Linking(directory, Site(), forgotten)
    anna = await put(directory, "C-1")

    linked = [await linking.link(anna.id, line(token)) for token in ("a", "a", "b", "b")]

    changes = [one.change for one in linked]
    assert changes == [Change.CREATED, Change.UNCHANGED, Change.UPDATED, Change.UNCHANGED]
    assert forgotten.revisions == [{linked[0].account_id: 1}]


async def test_an_import_of_other_credentials_forgets_what_was_read(directory: Directory) -> None:
    forgotten, kinds = Forgotten(), {"cloud": CLOUD}
    text = """{"reference": "C-1", "accounts": [
      {"provider": "cloud", "credentials": {"cloudreve": {"refreshToken": "TOKEN"}}}]}"""
    lines = [text.replace("TOKEN", token) for token in ("a", "a", "b", "b")]

    outcomes = [one async for one in import_lines(lines, directory, kinds, None, forgotten)]

    assert [one.error for one in outcomes] == [None] * 4
    (customer,) = await directory.customers_by_reference(["C-1"])
    assert customer
    ((account,),) = await directory.accounts_by_customer([customer.id])
    assert forgotten.revisions == [{account.id: 1}]


async def test_a_renewed_token_is_stored_also_where_its_caller_goes_away(
    directory: Directory,
) -> None:
    site = Site()
    site.may_answer.clear()
    linking = Linking(directory, site)
    anna = await put(directory, "C-1")
    caller = asyncio.create_task(linking.link(anna.id, line("a")))
    await site.is_asked.wait()

    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    site.may_answer.set()
    await linking.aclose()

    ((account,),) = await directory.accounts_by_customer([anna.id])
    assert caller.cancelled()
    assert await directory.credentials(account.id) == {"refreshToken": "a+"}


async def test_a_renewed_token_that_could_not_be_stored_is_stored_the_next_time(
    directory: Directory, tmp_path: Path
) -> None:
    linking = Linking(directory, Site())
    anna = await put(directory, "C-1")
    with closing(sqlite3.connect(tmp_path / "directory.db")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON accounts BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
        database.commit()
        with pytest.raises(UpstreamUnavailable, match="not lost") as failed:
            await linking.link(anna.id, line("a"))
        database.execute("DROP TRIGGER full")
        database.commit()

    linked = await linking.link(anna.id, line("a"))

    assert failed.value.field is None
    assert linked.change is Change.CREATED
    assert await directory.credentials(linked.account_id) == {"refreshToken": "a+"}


async def test_a_customer_that_is_deleted_meanwhile_has_nothing_linked(
    directory: Directory,
) -> None:
    site = Site()
    site.may_answer.clear()
    linking = Linking(directory, site)
    anna = await put(directory, "C-1")
    linking_it = asyncio.create_task(linking.link(anna.id, line("a")))
    await site.is_asked.wait()

    is_deleted = await linking.delete(anna)
    site.may_answer.set()

    with pytest.raises(NotFound):
        await linking_it
    assert is_deleted
    assert not await linking.delete(anna)


async def test_everything_of_a_deleted_customer_is_forgotten(directory: Directory) -> None:
    forgotten = Forgotten()
    linking = Linking(directory, Site(), forgotten)
    anna = await put(directory, "C-1")
    one = await linking.link(anna.id, line("a"))
    await linking.link(anna.id, line("b"))
    other = await linking.link(anna.id, AccountLine("cloud", CLOUD, "x", {"refreshToken": "c"}))
    forgotten.revisions.clear()

    await linking.delete(anna)

    assert forgotten.revisions == [{one.account_id: 2, other.account_id: 1}]
    assert await directory.accounts_by_customer([anna.id]) == [[]]
