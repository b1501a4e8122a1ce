"""Who is told nothing and does not know it gives what was kept for less than a second."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from asking_again import (
    CHANGES,
    LONG,
    account_of,
    add_entry,
    ask,
    both,
    is_hit,
    kept,
    newest,
    settled,
)
from changing import unlink
from hanging import way
from redis_server import needs_redis, redis_server
from world import World, world

pytestmark = needs_redis
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
PATIENCE_SECONDS = 30
# A second, and two in which the machine does something else.
MOST_SECONDS = 3
ACCOUNTS = """query($r: String!) { customer(reference: $r) { accounts { id }
  creditChanges(first: 2) { nodes { id } sources { state } } } }"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=15) as one:
        yield one


def told_otherwise(one: World, query: str, is_new: Callable[[httpx.Response], bool]) -> float:
    """Ask until an answer is new; return after how many seconds the last one began that was not."""
    changed_at, last = time.monotonic(), 0.0
    while (began := time.monotonic()) < changed_at + PATIENCE_SECONDS:
        if is_new(ask(one, query)):
            return last
        last = began - changed_at
    raise AssertionError("it was never told")


def shows(amount: str, answer: httpx.Response) -> bool:
    return newest(answer) == amount


def test_what_is_refreshed_is_seen_within_a_second_where_a_subscription_hangs(
    served: World,
) -> None:
    with (
        redis_server() as redis,
        way(redis.url) as there,
        both(served, redis, CACHE__URL=there.url) as (one, two, _),
    ):
        account = account_of(one, "hosting")
        ask(one)
        settled(redis)
        before = newest(kept(two))
        for amount in ("81.01", "82.02", "83.03"):
            kept(two)
            add_entry(one, amount)
            there.hang()
            one.data(REFRESH, {"id": account})
            meanwhile = ask(two)
            seconds = told_otherwise(two, CHANGES, partial(shows, amount))

            # It was not told, or there would be nothing to see here.
            assert is_hit(meanwhile)
            assert newest(meanwhile) == before
            assert seconds < MOST_SECONDS
            before = newest(kept(two))
            assert before == amount


def test_what_is_unlinked_is_seen_within_a_second_where_a_subscription_hangs(
    served: World,
) -> None:
    with (
        redis_server() as redis,
        way(redis.url) as there,
        both(served, redis, CACHE__URL=there.url) as (one, two, _),
    ):
        account = account_of(one, "hosting")
        ask(one, ACCOUNTS)
        settled(redis)
        before = kept(two, ACCOUNTS)
        there.hang()
        unlink(one, account)
        seconds = told_otherwise(two, ACCOUNTS, lambda answer: account not in answer.text)

    assert account in before.text
    assert seconds < MOST_SECONDS
