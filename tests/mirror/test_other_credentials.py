"""Nothing that was read under an account's former credentials is served under others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, TestClock, mirror_of
from msgspec.structs import replace
from processes import HeldProvider, until

from app.history.filter import CreditChangeFilter
from app.history.window import Missing, Window, window_of
from app.mirror.embedded import document_store
from app.mirror.mirror import Mirror
from app.mirror.snapshot import Snapshot
from app.mirror.store import name_of
from app.model.accounts import Account
from app.redis.connection import Client, connect
from app.redis.guard import Guard

OLD = [change(second, 1) for second in range(10, 0, -1)]
NEW = [change(second, 2) for second in range(10, 0, -1)]
RELINKED = replace(ACCOUNT, revision=ACCOUNT.revision + 1)


@pytest.fixture
async def redis() -> AsyncIterator[Client]:
    client = connect("embedded://")
    yield client
    await client.aclose()


def amounts(snapshot: Snapshot) -> set[int]:
    return {int(entry.amount.amount) for entry in snapshot.entries}


async def whole(mirror: Mirror, account: Account) -> set[int]:
    """Return the amounts of a whole history."""
    snapshot = (await mirror.read(account, CHANGES)).snapshot
    while True:
        found = window_of({account.id: snapshot.timeline}, CreditChangeFilter(), Window(100))
        if not isinstance(found, Missing):
            return {int(row.entry.amount.amount) for row in found.rows}
        snapshot = await mirror.deepen(account, CHANGES, found.back_to)


async def test_every_process_reads_anew_what_was_read_under_other_credentials(
    redis: Client,
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with AsyncExitStack() as stack:
        mirrors = [
            await stack.enter_async_context(mirror_of(provider, clock, redis=redis))
            for _ in range(2)
        ]
        before = [await whole(mirror, ACCOUNT) for mirror in mirrors]
        provider.show(NEW)

        after = [await whole(mirror, RELINKED) for mirror in mirrors]

    assert before == [{1}, {1}]
    assert after == [{2}, {2}]


async def test_a_stale_history_of_other_credentials_is_not_served_in_place_of_an_error(
    redis: Client,
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with mirror_of(provider, clock, redis=redis) as mirror:
        await whole(mirror, ACCOUNT)
        clock.move(120)
        provider.show(NEW)

        reading = await mirror.read(RELINKED, CHANGES)

    assert not reading.is_stale
    assert amounts(reading.snapshot) == {2}


async def test_a_fetch_begun_under_other_credentials_is_neither_joined_nor_kept(
    redis: Client,
) -> None:
    provider, clock = HeldProvider(OLD, "cursor"), TestClock()
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(mirror_of(provider, clock, redis=redis))
            for _ in range(2)
        ]
        provider.may_answer.clear()
        former = asyncio.create_task(one.read(ACCOUNT, CHANGES))
        await until(lambda: provider.calls == 1)
        provider.show(NEW)
        readers = [asyncio.create_task(each.read(RELINKED, CHANGES)) for each in (one, two)]
        await asyncio.sleep(0.05)
        provider.may_answer.set()

        first = amounts((await former).snapshot)
        then = [amounts((await reader).snapshot) for reader in readers]
        at_last = [await whole(each, RELINKED) for each in (one, two)]

    assert first == {1}
    assert then == at_last == [{2}, {2}]


async def test_a_purge_takes_away_what_was_read_under_the_credentials_of_now(
    redis: Client,
) -> None:
    async with mirror_of(HeldProvider(NEW, "cursor"), TestClock(), redis=redis) as mirror:
        await whole(mirror, RELINKED)
        before = await is_kept(redis, RELINKED)
        await mirror.purge(RELINKED.id, RELINKED.revision)

        assert before
        assert not await is_kept(redis, RELINKED)


async def is_kept(redis: Client, account: Account) -> bool:
    """Say whether a history of the account is kept for whoever asks."""
    store = document_store(Guard(redis), kept_for=timedelta(days=1))
    return (await store.look(name_of(account.id, CHANGES, account.revision))).state is not None
