"""Credentials are read anew for each call, together for all calls of a moment."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from directories import link, put, renew
from places import Place

from app.directory.directory import Directory
from app.directory.server import Wanted
from app.model.errors import NotFound, UpstreamUnavailable


@pytest.fixture
async def other_process(place: Place, directory: Directory) -> AsyncIterator[Directory]:
    del directory  # it has made the tables
    async with place.opened() as opened:
        yield opened


class Counting:
    """Reads as a reader does that has to wait, and counts how often and how much is asked of it."""

    def __init__(self, directory: Directory) -> None:
        self._reader = directory._database._reader
        self.asked: list[int] = []
        directory._database._reader = self

    async def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
        self.asked.append(len(values))
        return await self._reader.rows(wanted, values)

    def rows_at_once(self, wanted: Wanted, values: Sequence[str]) -> None:
        """Return None."""

    async def close(self) -> None:
        await self._reader.close()


class Remembering:
    """What must not be: credentials that are kept after they were read."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: dict[str, Mapping[str, str]] = {}

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        if account_id not in self._known:
            self._known[account_id] = await self._directory.credentials(account_id)
        return self._known[account_id]


async def read_after_each_renewal(
    written_by: Directory, reader: Directory | Remembering, account_id: str
) -> list[str]:
    read = []
    for number in range(30):
        await renew(written_by, account_id, f"token-{number}")
        found = await asyncio.gather(*(reader.credentials(account_id) for _ in range(5)))
        read += [one["refreshToken"] for one in found]
    return read


async def test_what_one_process_renewed_is_what_any_other_reads_next(
    directory: Directory, other_process: Directory
) -> None:
    account = await link(directory, await put(directory, "C-1"))

    read = await read_after_each_renewal(directory, other_process, account.id)

    assert read == [f"token-{number}" for number in range(30) for _ in range(5)]


async def test_credentials_that_were_kept_would_be_noticed(
    directory: Directory, other_process: Directory
) -> None:
    account = await link(directory, await put(directory, "C-1"))

    read = await read_after_each_renewal(directory, Remembering(other_process), account.id)

    assert set(read) == {"token-0"}


async def test_an_account_that_was_unlinked_or_linked_anew_is_read_as_it_is_now(
    directory: Directory, other_process: Directory
) -> None:
    anna = await put(directory, "C-1")
    account = await link(directory, anna)
    await other_process.credentials(account.id)
    await directory.put_account(anna.id, "cloud", None, {"refreshToken": "other"}, None)
    linked_anew = await other_process.renewable(account.id)
    await directory.unlink_account(account.id)

    with pytest.raises(NotFound):
        await other_process.credentials(account.id)
    assert (linked_anew.current, linked_anew.revision) == ({"refreshToken": "other"}, 2)


async def test_those_who_ask_at_one_moment_are_one_look_and_are_told_apart(
    directory: Directory,
) -> None:
    anna = await put(directory, "C-1")
    ids = [(await link(directory, anna, f"account {number}")).id for number in range(9)]
    for account_id in ids:
        await renew(directory, account_id, f"token of {account_id}")
    counting = Counting(directory)

    together = await asyncio.gather(*(directory.credentials(one) for one in ids * 2))
    looks = list(counting.asked)
    apart = [await directory.credentials(one) for one in ids]

    assert [one["refreshToken"] for one in together] == [f"token of {one}" for one in ids * 2]
    assert apart == together[:9]
    assert looks == [9]
    assert counting.asked == [9] + 9 * [1]


async def test_one_that_is_unknown_and_one_who_goes_away_cost_the_others_nothing(
    directory: Directory,
) -> None:
    account = await link(directory, await put(directory, "C-1"))
    Counting(directory)
    impatient = asyncio.create_task(directory.credentials(account.id))
    others = [
        asyncio.create_task(directory.credentials(one)) for one in (account.id, "0" * 16, "1" * 16)
    ]
    await asyncio.sleep(0)
    impatient.cancel()

    found = await asyncio.gather(impatient, *others, return_exceptions=True)

    kinds = [asyncio.CancelledError, dict, NotFound, NotFound]
    assert [type(one) for one in found] == kinds


async def test_a_failure_to_look_is_told_to_all_who_asked(directory: Directory) -> None:
    class Broken(Counting):
        async def rows(self, wanted: Wanted, values: Sequence[str]) -> Sequence[Any]:
            raise OSError(f"away for {wanted.key} of {len(values)}")

    ids = ["0" * 16, "1" * 16]
    Broken(directory)

    found = await asyncio.gather(*map(directory.credentials, ids), return_exceptions=True)

    assert [type(one) for one in found] == 2 * [UpstreamUnavailable]
