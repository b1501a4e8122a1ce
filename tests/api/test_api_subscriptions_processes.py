"""Subscriptions at several gateways that share a Redis: polled once, heard by all."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from changing import credentials
from redis_server import RedisServer, needs_redis, redis_server
from subscribing import (
    LISTS,
    PAYMENTS,
    account_of,
    answers,
    gateways,
    heard,
    is_at_rest,
    listen,
    live,
    names,
    records,
    refresh,
    remind,
    soon,
)
from world import World, world

from app.feeds.listener import MOST_WAITING
from app.model.entries import Stream

pytestmark = needs_redis
PAYMENT_LISTS = ("cloudreve /user/payments", "hostup /billing/transactions")
POLLED = (*LISTS.values(), *PAYMENT_LISTS)
LINK = """mutation($input: LinkAccountInput!) { linkAccount(input: $input) { account { id } } }"""
UNLINK = """mutation($id: ID!) {
  unlinkAccount(input: { accountId: $id }) { unlinkedAccountId } }"""
FRESH_FOR = timedelta(seconds=60)


@pytest.fixture
def served(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    with world(tmp_path, entries=30, more=getattr(request, "param", "")) as one:
        yield one


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def polled(one: World) -> list[int]:
    """Return how often each list was asked for."""
    calls = one.sandbox.calls()
    return [calls.get(path, 0) for path in POLLED]


@pytest.mark.parametrize("listeners", [1, 3])
async def test_a_provider_is_polled_once_for_all_processes_and_listeners(
    served: World, redis: RedisServer, listeners: int
) -> None:
    polls = 4
    async with gateways(served, redis.url, 3) as all_of_them, AsyncExitStack() as stack:
        await live(all_of_them)
        watched = await records(all_of_them[0])
        told = await listen(stack, all_of_them, listeners)
        paid = await listen(stack, all_of_them, listeners, PAYMENTS)
        served.sandbox.reset_calls()

        for turn in range(polls):
            served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
            served.clock.ahead += FRESH_FOR
            remind(redis, [name for stream in Stream for name in names(watched, stream)])
            await soon(lambda turn=turn: {len(one.bodies) for one in told} == {turn + 1})  # type: ignore[misc]
            remind(redis, [name for stream in Stream for name in names(watched, stream)])
            await soon(lambda turn=turn: min(polled(served)) > turn)  # type: ignore[misc]
            await asyncio.sleep(0.5)

        calls = served.sandbox.calls()
    assert {calls[path] for path in POLLED} == {polls}
    assert all(len(set(one.ids)) == polls for one in told)
    assert len({tuple(one.ids) for one in told}) == 1
    assert all(one.rows == [] for one in paid)


async def test_gateways_without_a_redis_in_common_poll_each_for_itself(served: World) -> None:
    async with AsyncExitStack() as stack:
        alone = [
            (await stack.enter_async_context(gateways(served, "embedded://", 1)))[0]
            for _ in range(2)
        ]
        told = await listen(stack, alone, 1)
        served.sandbox.reset_calls()
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        served.clock.ahead += FRESH_FOR
        await soon(lambda: all(one.bodies for one in told))

        calls = served.sandbox.calls()
    assert calls[LISTS["hosting"]] == 2


@pytest.mark.parametrize("served", ['[cache]\nfresh_for = "10ms"'], indirect=True)
async def test_a_history_that_is_never_fresh_is_polled_once_in_five_seconds(
    served: World, redis: RedisServer
) -> None:
    expected = [(3, 0), (3, 1), (1, 0), (5, 1)]
    async with gateways(served, redis.url, 2) as both, AsyncExitStack() as stack:
        await live(both)
        watched = names(await records(both[0]), Stream.CREDIT_CHANGES)
        await listen(stack, both, 1)
        counted: list[tuple[int, int]] = []
        for seconds, polls in expected:
            served.sandbox.reset_calls()
            served.clock.ahead += timedelta(seconds=seconds)
            remind(redis, watched)
            if polls:
                await soon(lambda: LISTS["hosting"] in served.sandbox.calls())
            await asyncio.sleep(0.5)
            counted.append((seconds, served.sandbox.calls().get(LISTS["hosting"], 0)))

    assert counted == expected


async def test_what_is_read_with_other_credentials_is_not_told_where_no_word_of_them_came(
    served: World,
) -> None:
    async with AsyncExitStack() as stack:
        one, deaf = [
            (await stack.enter_async_context(gateways(served, "embedded://", 1)))[0]
            for _ in range(2)
        ]
        former = next(each for each in await records(one) if each.provider == "hosting")
        (told,) = await listen(stack, [deaf], 1)
        (feed,) = deaf.services.feeds._feeds.values()
        given = credentials(served, "hosting", "C-1003")
        wanted = {"customerReference": "C-1001", "provider": "hosting", "label": former.label}
        linked = await one.ask(LINK, input={**wanted, "credentials": given})
        served.sandbox.reset_calls()
        served.clock.ahead += FRESH_FOR
        await soon(lambda: feed._watches[former.id].account.revision == former.revision + 1)
        await feed.begun()
        asked = served.sandbox.calls()[LISTS["hosting"]]
        before = list(told.bodies)
        served.sandbox.add_entry("hostup", "credit_changes", "C-1003")
        served.clock.ahead += FRESH_FOR
        await soon(lambda: told.bodies)

    assert "errors" not in linked
    # By the former revision, and by the one that is linked now.
    assert asked == 2
    assert before == []
    assert len(told.rows) == 1


async def test_nobody_is_asked_where_nobody_listens(served: World, redis: RedisServer) -> None:
    async with gateways(served, redis.url, 2) as both:
        await live(both)
        watched = await records(both[0])
        async with AsyncExitStack() as stack:
            await listen(stack, both, 2)
            asked = served.sandbox.calls()
        served.sandbox.reset_calls()

        for _ in range(3):
            served.clock.ahead += FRESH_FOR
            remind(redis, names(watched, Stream.CREDIT_CHANGES))
            await asyncio.sleep(0.3)

        assert {asked[path] for path in LISTS.values()} == {1}
        assert all(is_at_rest(one) for one in both)
        assert served.sandbox.calls() == {}


async def test_what_one_process_has_asked_now_is_heard_at_all_at_once(
    served: World, redis: RedisServer
) -> None:
    async with gateways(served, redis.url, 3) as (one, *others), AsyncExitStack() as stack:
        await live([one, *others])
        told = await listen(stack, others, 2)
        served.sandbox.reset_calls()
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")

        await refresh(one, "hosting")
        await soon(lambda: all(each.bodies for each in told), seconds=4)

    assert {len(each.rows) for each in told} == {1}
    assert served.sandbox.calls()[LISTS["hosting"]] == 1


async def test_what_another_process_reads_deeper_is_not_new(
    served: World, redis: RedisServer
) -> None:
    whole = """{ customer(reference: "C-1001") { creditSummary { units { count }
      sources { complete } } } }"""
    for provider in ("cloudreve", "hostup", "carecloud"):
        for _ in range(250):
            served.sandbox.add_entry(provider, "credit_changes", "C-1001")
    async with gateways(served, redis.url, 2) as (one, other), AsyncExitStack() as stack:
        await live([one, other])
        (told,) = await listen(stack, [other], 1)
        read = await one.ask(whole)
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        await refresh(one, "hosting")
        await soon(lambda: told.bodies)
        await asyncio.sleep(0.5)

    sources = read["data"]["customer"]["creditSummary"]["sources"]
    assert all(source["complete"] for source in sources)
    assert len(told.rows) == 1


async def test_a_lost_cache_is_read_again_and_what_came_meanwhile_is_told_once(
    served: World, redis: RedisServer
) -> None:
    async with gateways(served, redis.url, 2) as both, AsyncExitStack() as stack:
        await live(both)
        told = await listen(stack, both, 1)
        for _ in range(150):
            served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        with redis.client() as client:
            client.flushall()
        for one in both:
            for keeper in one.services.mirror._keepers.values():
                for name in list(keeper._memory._documents):
                    keeper._memory.forget(name)
        served.clock.ahead += FRESH_FOR
        await soon(lambda: all(len(one.bodies) >= 150 for one in told))
        await asyncio.sleep(0.5)

    assert [len(set(one.ids)) for one in told] == [150, 150]
    assert [len(one.ids) for one in told] == [150, 150]


async def test_a_slow_listener_is_dropped_and_the_others_hear_all(
    served: World, redis: RedisServer
) -> None:
    async with gateways(served, redis.url, 1) as (one,):
        await live([one])
        slow = await answers(one, 'subscription { creditChangeAdded(reference: "C-1001") { id } }')
        assert not isinstance(slow, dict)
        async with heard(one) as told:
            (feed,) = one.services.feeds._feeds.values()
            for turn in range(6):
                for _ in range(MOST_WAITING // 5):
                    served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
                await refresh(one, "hosting")
                expected = (turn + 1) * MOST_WAITING // 5
                await soon(lambda expected=expected: len(told.bodies) == expected)  # type: ignore[misc]
            left = len(feed._listeners)
            last = [answer.body async for answer in slow]

        await soon(lambda: is_at_rest(one))
    assert left == 1
    assert len(set(told.ids)) == len(told.ids) == 6 * MOST_WAITING // 5
    assert [error["extensions"]["code"] for body in last for error in body["errors"]] == [
        "RATE_LIMITED"
    ]


async def test_listeners_hear_on_while_redis_is_away_and_after_it_came_back(
    served: World, redis: RedisServer
) -> None:
    async with gateways(served, redis.url, 2) as both, AsyncExitStack() as stack:
        await live(both)
        told = await listen(stack, both, 1)

        redis.kill()
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        served.clock.ahead += FRESH_FOR
        await soon(lambda: {len(one.bodies) for one in told} == {1})
        redis.start()
        await live(both)
        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        served.clock.ahead += FRESH_FOR
        await soon(lambda: {len(one.bodies) for one in told} == {2})
        await asyncio.sleep(0.5)

    assert told[0].ids == told[1].ids
    assert len(set(told[0].ids)) == len(told[0].ids) == 2


async def test_an_account_that_another_process_unlinks_is_heard_of_no_more(
    served: World, redis: RedisServer
) -> None:
    async with gateways(served, redis.url, 2) as (one, other), AsyncExitStack() as stack:
        await live([one, other])
        (told,) = await listen(stack, [other], 1)
        (feed,) = other.services.feeds._feeds.values()
        before = len(feed._watches)
        await one.ask(UNLINK, id=await account_of(one, "hosting"))
        await soon(lambda: len(feed._watches) == before - 1)
        served.sandbox.reset_calls()

        served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
        served.sandbox.add_entry("carecloud", "credit_changes", "C-1001")
        served.clock.ahead += FRESH_FOR
        await soon(lambda: told.bodies)
        await asyncio.sleep(0.5)

    assert len(told.rows) == 1
    assert LISTS["hosting"] not in served.sandbox.calls()
