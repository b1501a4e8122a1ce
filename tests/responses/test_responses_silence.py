"""Who is told nothing and does not know it gives what was kept for less than a second."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from asking_again import LONG, account_of, add_entry, ask, both, is_hit, kept, newest, settled
from changing import unlink
from hanging import way
from lists import until
from redis_server import needs_redis, redis_server
from world import World, world

pytestmark = needs_redis
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
ACCOUNTS = """query($r: String!) { customer(reference: $r) { accounts { id }
  creditChanges(first: 2) { nodes { id } sources { state } } } }"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=15) as one:
        yield one


def shows(one: World, amount: str) -> bool:
    return newest(ask(one)) == amount


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
            until(partial(shows, two, amount), seconds=1)

            # It was not told, or there would be nothing to see here.
            assert is_hit(meanwhile)
            assert newest(meanwhile) == before
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
        until(lambda: account not in ask(two, ACCOUNTS).text, seconds=1)

    assert account in before.text
