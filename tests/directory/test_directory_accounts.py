"""Accounts and their credentials as the directory keeps them."""

import stat
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from directories import KEY, START, TOKEN, link, put, renew
from places import Place

from app.directory.directory import Directory
from app.directory.outcome import Change
from app.directory.vault import VaultError
from app.model.accounts import Account, AccountStatus, CredentialStore
from app.model.errors import NotFound, UpstreamUnauthorized
from app.model.renewable import Access, Renewed


def holds(folder: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in folder.iterdir())


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_accounts_come_for_each_customer_in_the_order_linked(directory: Directory) -> None:
    anna, bea, cleo = [await put(directory, reference) for reference in ("C-1", "C-2", "C-3")]
    first_of_anna = await link(directory, anna, "z")
    only_of_bea = await link(directory, bea)
    second_of_anna = await link(directory, anna, "a")

    found = await directory.accounts_by_customer([bea.id, cleo.id, anna.id, "no"])

    assert found == [[only_of_bea], [], [first_of_anna, second_of_anna], []]
    by_id = await directory.accounts_by_id([second_of_anna.id, "no", only_of_bea.id])
    assert by_id == [second_of_anna, None, only_of_bea]


async def test_an_account_is_told_with_all_that_is_known(directory: Directory) -> None:
    anna = await put(directory, "C-1")
    await directory.put_account(anna.id, "loyalty", "main", {"customerId": "77"}, "77")

    ((account,),) = await directory.accounts_by_customer([anna.id])

    assert account == Account(
        id=account.id,
        customer_id=anna.id,
        provider="loyalty",
        linked_at=START + timedelta(seconds=1),
        label="main",
        external_id="77",
        status=AccountStatus.ACTIVE,
    )
    assert account.linked_at.tzinfo is UTC
    assert len(account.id) == 16


async def test_two_accounts_without_a_label_are_one(directory: Directory, place: Place) -> None:
    anna = await put(directory, "C-1")

    changes = [
        (await directory.put_account(anna.id, "cloud", label, TOKEN, None)).change
        for label in (None, None, "", "other")
    ]

    assert changes == [Change.CREATED, Change.UNCHANGED, Change.UNCHANGED, Change.CREATED]
    with pytest.raises(place.violation):
        await place.run("UPDATE accounts SET label = NULL")


async def test_an_account_of_nobody_is_refused(directory: Directory) -> None:
    with pytest.raises(NotFound, match="no such customer"):
        await directory.put_account("0" * 16, "cloud", None, TOKEN, None)


async def test_other_credentials_replace_the_former_and_make_the_account_active(
    directory: Directory,
) -> None:
    anna = await put(directory, "C-1")
    before = await link(directory, anna)
    await directory.mark(before.id, AccountStatus.NEEDS_RELINK)

    linked = await directory.put_account(anna.id, "cloud", None, {"refreshToken": "2"}, "ext")

    ((after,),) = await directory.accounts_by_customer([anna.id])
    assert linked == (Change.UPDATED, before.id)
    assert (before.revision, after.revision) == (1, 2)
    assert (after.id, after.linked_at) == (before.id, before.linked_at)
    assert (after.status, after.external_id) == (AccountStatus.ACTIVE, "ext")
    assert await directory.credentials(after.id) == {"refreshToken": "2"}


async def test_renewed_credentials_survive_the_same_import(directory: Directory) -> None:
    store: CredentialStore = directory
    anna = await put(directory, "C-1")
    account = await link(directory, anna)
    assert await renew(directory, account.id, "renewed")

    linked = await directory.put_account(anna.id, "cloud", None, TOKEN, None)

    assert linked == (Change.UNCHANGED, account.id)
    assert await directory.accounts_by_id([account.id]) == [account]
    assert await store.credentials(account.id) == {"refreshToken": "renewed"}
    assert await directory.has_given(anna.id, "cloud", None, TOKEN)
    assert not await directory.has_given(anna.id, "cloud", None, {"refreshToken": "renewed"})
    assert not await directory.has_given(anna.id, "cloud", "other", TOKEN)


async def test_the_same_credentials_do_not_revive_a_refused_account(directory: Directory) -> None:
    anna = await put(directory, "C-1")
    account = await link(directory, anna)
    await directory.mark(account.id, AccountStatus.NEEDS_RELINK)

    await directory.put_account(anna.id, "cloud", None, TOKEN, None)

    (found,) = await directory.accounts_by_id([account.id])
    assert found is not None
    assert found.status is AccountStatus.NEEDS_RELINK


async def test_the_providers_that_accounts_are_linked_to_are_told(directory: Directory) -> None:
    before = await directory.providers_in_use()
    anna = await put(directory, "C-1")
    for provider, label in [("loyalty", None), ("cloud", "one"), ("cloud", "two")]:
        await directory.put_account(anna.id, provider, label, TOKEN, None)

    assert before == []
    assert await directory.providers_in_use() == ["cloud", "loyalty"]


async def test_an_unknown_account_is_not_found(directory: Directory) -> None:
    with pytest.raises(NotFound):
        await directory.credentials("no")
    with pytest.raises(NotFound):
        await directory.renewable("no")
    with pytest.raises(NotFound):
        await directory.mark("no", AccountStatus.ACTIVE)


async def test_everything_is_still_there_after_a_restart_with_a_newer_key(place: Place) -> None:
    async with place.opened() as first:
        account = await link(first, await put(first, "C-1", "Anna"))
        assert await renew(first, account.id, "renewed")

    async with place.opened(b"n" * 32, KEY) as second:
        assert await second.accounts_by_id([account.id]) == [account]
        assert await second.credentials(account.id) == {"refreshToken": "renewed"}


async def test_without_its_key_a_credential_is_neither_read_nor_overwritten(
    place: Place,
) -> None:
    async with place.opened() as first:
        anna = await put(first, "C-1")
        account = await link(first, anna)
        before = await first.renewable(account.id)

    renewed = Renewed({"refreshToken": "2"}, TOKEN, Access("access", START))
    async with place.opened(b"n" * 32) as second:
        with pytest.raises(UpstreamUnauthorized):
            await second.credentials(account.id)
        with pytest.raises(UpstreamUnauthorized):
            await second.keep_renewed(account.id, before, renewed)
        with pytest.raises(VaultError):
            await second.put_account(anna.id, "cloud", None, {"refreshToken": "2"}, None)

    async with place.opened() as third:
        assert await third.credentials(account.id) == TOKEN


async def test_no_credential_is_readable_in_the_files(tmp_path: Path) -> None:
    async with Place(f"sqlite:///{tmp_path}/directory.db").opened() as directory:
        await link(directory, await put(directory, "C-1"))

        assert not holds(tmp_path, b"token-1")
        assert modes(tmp_path) == {0o600}

    assert holds(tmp_path, b"C-1")
    assert not holds(tmp_path, b"token-1")


async def test_credentials_moved_to_another_account_do_not_open(
    directory: Directory, place: Place
) -> None:
    anna = await put(directory, "C-1")
    one, two = await link(directory, anna, "one"), await link(directory, anna, "two")
    moved = (
        "UPDATE accounts SET credentials = (SELECT credentials FROM accounts WHERE id = $1) "
        "WHERE id = $2"
    )
    await place.run(moved, two.id, one.id)

    with pytest.raises(UpstreamUnauthorized):
        await directory.credentials(one.id)
    with pytest.raises(VaultError):
        await directory.put_account(anna.id, "cloud", "one", {"refreshToken": "2"}, None)
    assert await directory.credentials(two.id) == TOKEN


async def test_credentials_of_an_account_moved_to_another_provider_do_not_open(
    directory: Directory, place: Place
) -> None:
    account = await link(directory, await put(directory, "C-1"))
    await place.run("UPDATE accounts SET provider = 'evil'")

    with pytest.raises(UpstreamUnauthorized):
        await directory.credentials(account.id)


async def test_an_account_is_told_by_the_id_it_is_linked_under(directory: Directory) -> None:
    anna = await put(directory, "C-1")

    linked = await directory.put_account(anna.id, "cloud", None, TOKEN, None)

    assert linked.change is Change.CREATED
    (account,) = await directory.accounts_by_id([linked.account_id])
    assert account is not None
    assert (account.customer_id, account.revision) == (anna.id, 1)


async def test_an_unlinked_account_is_gone_with_its_credentials(directory: Directory) -> None:
    anna = await put(directory, "C-1")
    one, two = await link(directory, anna, "one"), await link(directory, anna, "two")

    assert await directory.unlink_account(one.id)

    assert await directory.accounts_by_customer([anna.id]) == [[two]]
    with pytest.raises(NotFound):
        await directory.credentials(one.id)
    assert not await directory.unlink_account(one.id)
    assert not await directory.unlink_account("no")
