"""Credentials that are renewed: by one at a time, and never over what was linked meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from directories import KEY, START, TOKEN, link, put
from places import Place

from app.directory.directory import Directory
from app.model.accounts import AccountStatus, CredentialStore
from app.model.errors import NotFound, UpstreamUnauthorized, UpstreamUnavailable
from app.model.renewable import Access, Pause, PauseKind, Renewable, Renewed

OTHER = {"refreshToken": "other"}
RENEWED = Renewed({"refreshToken": "new"}, TOKEN, Access("access-1", START + timedelta(hours=1)))
LATER = START + timedelta(seconds=15)


@pytest.fixture
async def account_id(directory: Directory) -> str:
    return (await link(directory, await put(directory, "C-1"))).id


@pytest.fixture
async def other_process(place: Place, directory: Directory) -> AsyncIterator[Directory]:
    del directory  # it has made the tables
    async with place.opened() as opened:
        yield opened


async def link_other(directory: Directory) -> None:
    anna = await put(directory, "C-1")
    await directory.put_account(anna.id, "cloud", None, OTHER, None)


async def status_of(directory: Directory, account_id: str) -> AccountStatus:
    (account,) = await directory.accounts_by_id([account_id])
    assert account is not None
    return account.status


async def test_a_renewed_pair_is_told_with_the_one_before_and_what_came_with_it(
    directory: Directory, other_process: Directory, account_id: str
) -> None:
    store: CredentialStore = directory
    before = await store.renewable(account_id)
    is_kept = await store.keep_renewed(account_id, before, RENEWED)

    assert is_kept
    assert before == Renewable(1, TOKEN)
    assert await other_process.renewable(account_id) == Renewable(
        1, RENEWED.current, TOKEN, RENEWED.access
    )
    assert await other_process.credentials(account_id) == RENEWED.current


async def test_of_all_processes_one_has_the_turn(
    directory: Directory, other_process: Directory, account_id: str
) -> None:
    taken = await asyncio.gather(
        *(
            one.take_turn(account_id, f"{name}{number}", START, LATER)
            for number in range(10)
            for name, one in (("a", directory), ("b", other_process))
        )
    )
    told = await other_process.renewable(account_id)

    assert sum(taken) == 1
    assert (told.taken_until, told.pause) == (LATER, None)


async def test_a_turn_is_prolonged_by_its_holder_and_over_in_time_for_others(
    directory: Directory, other_process: Directory, account_id: str
) -> None:
    later = LATER + timedelta(seconds=15)
    found = [
        await directory.take_turn(account_id, "a", START, LATER),
        await other_process.take_turn(account_id, "b", LATER - timedelta(seconds=1), later),
        await directory.take_turn(account_id, "a", START, LATER),
        await other_process.take_turn(account_id, "b", LATER, later),
        await directory.take_turn(account_id, "a", LATER, later),
    ]

    assert found == [True, False, True, True, False]


async def test_a_turn_that_has_ended_is_the_next_ones_after_the_pause(
    directory: Directory, account_id: str
) -> None:
    pause = Pause(PauseKind.FAILED, START + timedelta(seconds=1))
    await directory.take_turn(account_id, "a", START, LATER)
    await directory.end_turn(account_id, "another", None)
    of_another = await directory.take_turn(account_id, "b", START, LATER)
    await directory.end_turn(account_id, "a", pause)
    told = await directory.renewable(account_id)
    within = await directory.take_turn(account_id, "b", START, LATER)
    after = await directory.take_turn(account_id, "b", pause.until, LATER)
    await directory.end_turn(account_id, "b", None)

    assert (of_another, within, after) == (False, False, True)
    assert (told.pause, told.taken_until) == (pause, None)
    assert await directory.take_turn(account_id, "c", START, LATER)


async def test_keeping_a_pair_ends_the_turn(directory: Directory, account_id: str) -> None:
    await directory.take_turn(account_id, "a", START, LATER)
    await directory.keep_renewed(account_id, await directory.renewable(account_id), RENEWED)

    assert await directory.take_turn(account_id, "b", START, LATER)


async def test_a_late_pair_does_not_replace_what_was_linked_meanwhile(
    directory: Directory, other_process: Directory, account_id: str
) -> None:
    before = await directory.renewable(account_id)
    await directory.take_turn(account_id, "a", START, LATER)
    await link_other(other_process)

    assert not await directory.keep_renewed(account_id, before, RENEWED)
    assert not await directory.refuse(account_id, before, LATER)
    assert await directory.renewable(account_id) == Renewable(2, OTHER)
    assert await status_of(directory, account_id) is AccountStatus.ACTIVE


async def test_a_late_pair_does_not_replace_a_later_one(
    directory: Directory, other_process: Directory, account_id: str
) -> None:
    before = await directory.renewable(account_id)
    await other_process.keep_renewed(account_id, before, RENEWED)
    late = Renewed({"refreshToken": "late"}, TOKEN, Access("late", LATER))

    assert not await directory.keep_renewed(account_id, before, late)
    assert not await directory.refuse(account_id, before, LATER)
    assert await directory.credentials(account_id) == RENEWED.current


async def test_a_refusal_marks_the_account_and_is_told_to_all_until_others_are_linked(
    directory: Directory, other_process: Directory, account_id: str
) -> None:
    await directory.take_turn(account_id, "a", START, LATER)
    is_marked = await directory.refuse(account_id, await directory.renewable(account_id), LATER)
    told = await other_process.renewable(account_id)
    marked = await status_of(other_process, account_id)
    await link_other(directory)

    assert is_marked
    assert (told.pause, told.current) == (Pause(PauseKind.REFUSED, LATER), TOKEN)
    assert marked is AccountStatus.NEEDS_RELINK
    assert await other_process.renewable(account_id) == Renewable(2, OTHER)
    assert await status_of(other_process, account_id) is AccountStatus.ACTIVE


async def test_the_same_credentials_given_again_leave_the_renewed_ones(
    directory: Directory, account_id: str
) -> None:
    await directory.keep_renewed(account_id, await directory.renewable(account_id), RENEWED)
    await directory.put_account((await put(directory, "C-1")).id, "cloud", None, TOKEN, None)

    kept = await directory.renewable(account_id)
    assert (kept.revision, kept.current, kept.access) == (1, RENEWED.current, RENEWED.access)


async def test_another_vault_key_meanwhile_does_not_lose_a_renewed_pair(
    place: Place, directory: Directory, account_id: str
) -> None:
    before = await directory.renewable(account_id)
    async with place.opened(b"n" * 32, KEY) as newer:
        await newer.keep_renewed(account_id, before, Renewed(TOKEN, TOKEN, RENEWED.access))
        is_kept = await newer.keep_renewed(account_id, before, RENEWED)
        kept = await newer.credentials(account_id)
    with pytest.raises(UpstreamUnauthorized) as raised:
        await directory.renewable(account_id)

    assert is_kept
    assert kept == RENEWED.current
    assert not raised.value.relink


async def test_there_is_nothing_to_renew_of_an_account_that_was_deleted(
    directory: Directory, account_id: str
) -> None:
    before = await directory.renewable(account_id)
    await directory.unlink_account(account_id)

    with pytest.raises(NotFound):
        await directory.renewable(account_id)
    assert not await directory.take_turn(account_id, "a", START, LATER)
    assert not await directory.keep_renewed(account_id, before, RENEWED)
    assert not await directory.refuse(account_id, before, LATER)


async def test_a_directory_that_does_not_answer_costs_one_account(
    place: Place, directory: Directory, account_id: str
) -> None:
    before = await directory.renewable(account_id)
    await place.run("ALTER TABLE accounts RENAME TO gone")

    with pytest.raises(UpstreamUnavailable):
        await directory.renewable(account_id)
    with pytest.raises(UpstreamUnavailable):
        await directory.keep_renewed(account_id, before, RENEWED)


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_renewed_token_is_readable(tmp_path: Path) -> None:
    place = Place(f"sqlite:///{tmp_path}/directory.db")
    async with place.opened() as directory:
        account = await link(directory, await put(directory, "C-1"))
        before = await directory.renewable(account.id)
        await directory.keep_renewed(account.id, before, RENEWED)
        kept = await directory.renewable(account.id)
        files = written(tmp_path)

    for secret in ("access-1", "token-1"):
        assert secret.encode() not in files
        assert secret not in f"{kept} {RENEWED} {RENEWED.access!r}"
    assert b"C-1" in files
