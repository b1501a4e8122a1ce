"""Subscriptions: what is new in a customer's histories, as one gateway tells it."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from changing import credentials
from subscribing import (
    CHANGES,
    LISTS,
    PAYMENTS,
    REFRESH,
    account_of,
    answers,
    heard,
    is_at_rest,
    records,
    refresh,
    soon,
)
from viewing import Asked, asking
from world import World, world

from app.api.context import Context
from app.model.entries import Stream
from app.model.viewer import Scope, Viewer

WHOLE = """subscription { creditChangeAdded(reference: "C-1001") {
  id occurredAt kind reason amount { amount unit formatted } details { __typename }
  account { id label balance { reported { amount } }
    customer { reference creditChanges(first: 1) { nodes { id } sources { state } } } } } }"""
OWNER = """subscription { creditChangeAdded(reference: "C-1001") {
  account { customer { reference accounts { id } } } } }"""
NEWEST = """query($id: ID!) { node(id: $id) { ... on Account {
  creditChanges(first: 1) { nodes { id } } } } }"""
LINK = """mutation($input: LinkAccountInput!) {
  linkAccount(input: $input) { account { id label } } }"""
UNLINK = """mutation($id: ID!) {
  unlinkAccount(input: { accountId: $id }) { unlinkedAccountId } }"""
DELETE = 'mutation { deleteCustomer(input: { reference: "C-1001" }) { deletedCustomerId } }'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, entries=30) as one:
        yield one


@pytest.fixture
async def asked(served: World) -> AsyncIterator[Asked]:
    async with asking(served) as one:
        served.sandbox.reset_calls()
        yield one


async def test_an_entry_is_told_with_all_that_may_be_asked_of_it(
    served: World, asked: Asked
) -> None:
    async with heard(asked, WHOLE) as told:
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        await refresh(asked, "hosting")
        await soon(lambda: told.bodies)

        hosting = await account_of(asked, "hosting")
        newest = (await asked.ask(NEWEST, id=hosting))["data"]["node"]["creditChanges"]["nodes"]
    (row,) = told.rows
    assert [row["id"]] == [one["id"] for one in newest]
    assert (row["amount"]["amount"], row["amount"]["unit"]) == ("100.00", "SEK")
    assert row["account"]["id"] == hosting
    assert row["account"]["balance"]["reported"]
    assert row["account"]["customer"]["creditChanges"]["nodes"] == [{"id": row["id"]}]


@pytest.mark.parametrize("query", [CHANGES, PAYMENTS])
async def test_a_customer_that_may_not_be_seen_is_as_one_that_is_not_there(
    served: World, asked: Asked, query: str
) -> None:
    own = Viewer("u", frozenset({Scope.READ}), "C-1002")
    writer = Viewer("w", frozenset({Scope.WRITE_ANY}))

    refused = [await answers(asked, query, viewer) for viewer in (own, writer)]
    unknown = await answers(asked, query.replace("C-1001", "C-9999"), own)

    assert refused == [unknown] * 2
    assert isinstance(unknown, dict)
    assert [error["extensions"]["code"] for error in unknown["errors"]] == ["NOT_FOUND"]
    assert "data" not in unknown
    assert is_at_rest(asked)
    assert served.sandbox.calls() == {}


async def test_a_payment_is_told_when_it_appears_and_when_it_changes(
    served: World, asked: Asked
) -> None:
    box = served.sandbox
    async with heard(asked, PAYMENTS) as told:
        box.add_entry("hostup", "payments", "C-1001", entry={"status": "Pending"})
        await refresh(asked, "hosting")
        await soon(lambda: len(told.bodies) == 1)
        box.change_entry("hostup", "payments", "C-1001", entry={"status": "Success"}, index=0)
        await refresh(asked, "hosting")
        await soon(lambda: len(told.bodies) == 2)
        await refresh(asked, "hosting")
        await asyncio.sleep(0.5)

    first, second = told.rows
    assert first["id"] == second["id"]
    assert (first["status"], second["status"]) == ("PENDING", "PAID")


def at_work() -> set[str]:
    """Return what runs in this process for listeners, or asks providers."""
    running = {str(getattr(one.get_coro(), "__qualname__", "")) for one in asyncio.all_tasks()}
    return {name for name in running if name.startswith(("Watch.", "Feeds.", "Flights."))}


async def test_nothing_runs_and_nobody_is_asked_once_the_last_listener_left(
    served: World, asked: Asked
) -> None:
    async with heard(asked), heard(asked), heard(asked, PAYMENTS):
        busy = at_work()
        listened = served.sandbox.calls()
    await soon(lambda: is_at_rest(asked) and not at_work())
    served.sandbox.reset_calls()

    served.clock.ahead += asked.services.fresh_for["hosting"] * 2
    await asyncio.sleep(6)

    assert busy >= {"Watch._watch", "Feeds._reread_for_ever"}
    assert {listened[path] for path in LISTS.values()} == {1}
    assert served.sandbox.calls() == {}


async def test_a_subscription_that_nobody_takes_from_or_closes_keeps_nothing_alive(
    asked: Asked,
) -> None:
    stream = await answers(asked, CHANGES)
    began = not is_at_rest(asked)

    del stream
    gc.collect()
    await soon(lambda: is_at_rest(asked))

    assert began


async def test_a_thousand_events_leave_nothing_behind(asked: Asked) -> None:
    (account, *_) = await records(asked)
    async with heard(asked, OWNER) as told:
        (feed,) = asked.services.feeds._feeds.values()
        reading = await asked.services.mirror.read(account, Stream.CREDIT_CHANGES)
        entries = reading.snapshot.timeline.entries[:20]
        for turn in range(50):
            feed.tell(account, entries)
            await soon(lambda turn=turn: len(told.bodies) == 20 * (turn + 1))  # type: ignore[misc]
        gc.collect()
        contexts = [one for one in gc.get_objects() if type(one) is Context]

    assert len(told.rows) == 1000
    assert len(contexts) <= 3


async def test_an_account_joins_with_nothing_new_and_leaves_when_it_is_unlinked(
    served: World, asked: Asked
) -> None:
    box = served.sandbox
    async with heard(asked) as told:
        given = credentials(served, "hosting", "C-1003")
        wanted = {"customerReference": "C-1001", "provider": "hosting", "label": "other"}
        linked = await asked.ask(LINK, input={**wanted, "credentials": given})
        other = linked["data"]["linkAccount"]["account"]["id"]
        (feed,) = asked.services.feeds._feeds.values()
        await soon(lambda: len(feed._watches) == 4)
        await feed.begun()
        box.add_entry("hostup", "credit_changes", "C-1003")
        await asked.ask(REFRESH, id=other)
        await soon(lambda: told.bodies)

        await asked.ask(UNLINK, id=other)
        await soon(lambda: len(feed._watches) == 3)
        box.add_entry("hostup", "credit_changes", "C-1003")
        box.add_entry("hostup", "credit_changes", "C-1001")
        await refresh(asked, "hosting")
        await soon(lambda: len(told.bodies) == 2)
        await asyncio.sleep(0.5)

    assert len(told.rows) == 2
    assert not told.ended.is_set()


@pytest.mark.parametrize("name", ["hosting", "loyalty"])
async def test_other_credentials_are_another_history_of_which_nothing_is_new(
    served: World, asked: Asked, name: str
) -> None:
    former = next(one for one in await records(asked) if one.provider == name)
    async with heard(asked) as told:
        given = credentials(served, name, "C-1003")
        wanted = {"customerReference": "C-1001", "provider": name, "label": former.label}
        linked = await asked.ask(LINK, input={**wanted, "credentials": given})
        (feed,) = asked.services.feeds._feeds.values()
        await soon(lambda: feed._watches[former.id].account.revision == former.revision + 1)
        await feed.begun()
        provider = {"hosting": "hostup", "loyalty": "carecloud"}[name]
        served.sandbox.add_entry(provider, "credit_changes", "C-1001")
        served.sandbox.add_entry(provider, "credit_changes", "C-1003")
        await refresh(asked, name)
        await soon(lambda: told.bodies)
        await asyncio.sleep(0.5)

    assert "errors" not in linked
    assert len(told.rows) == 1


async def test_a_deleted_customer_ends_the_subscription_with_an_error(asked: Asked) -> None:
    async with heard(asked) as told:
        await asked.ask(DELETE)
        await soon(told.ended.is_set)
        await soon(lambda: is_at_rest(asked))

    (body,) = told.bodies
    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


async def test_what_arrives_between_the_beginning_and_the_first_poll_is_told(
    served: World, asked: Asked
) -> None:
    await refresh(asked, "hosting")
    served.sandbox.reset_calls()
    async with heard(asked) as told:
        began_with = served.sandbox.calls().get(LISTS["hosting"], 0)
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        served.clock.ahead += asked.services.fresh_for["hosting"]
        await soon(lambda: told.bodies)

    assert began_with == 0
    assert len(told.rows) == 1


async def test_a_failing_provider_is_not_asked_before_its_time_and_told_of_afterwards(
    served: World, asked: Asked
) -> None:
    async with heard(asked) as told:
        served.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
        served.sandbox.reset_calls()
        served.clock.ahead += asked.services.fresh_for["hosting"]
        await asyncio.sleep(7)
        await soon(lambda: LISTS["hosting"] in served.sandbox.calls())
        failed = served.sandbox.calls()[LISTS["hosting"]]
        served.sandbox.clear_fault("hostup")
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        served.clock.ahead += asked.services.fresh_for["hosting"]
        await soon(lambda: told.bodies)

    assert 1 <= failed <= 12
    assert len(told.rows) == 1
