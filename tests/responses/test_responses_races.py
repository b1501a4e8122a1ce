"""An answer that is being made while what it is made of changes is not kept as if it were new."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
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
    data,
    is_hit,
    kept,
    newest,
    settled,
)
from changing import unlink
from lists import until
from raw import Conversation, post
from redis_server import needs_redis, redis_server
from world import World, world

from app.mirror.store import CHANNEL

REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
# Both customers' parts are read at once, and the answer waits for the slower one.
TWO = """{ a: customer(reference: "C-1001") { accounts { id }
    creditChanges(first: 1) { nodes { amount { amount } } sources { state } } }
  b: customer(reference: "C-1002") { payments(first: 1) { nodes { id } sources { state } } } }"""
SLOW = {"kind": "latency", "ms": 2500, "path": "/user/payments"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=15) as one:
        yield one


def first_of(response: httpx.Response) -> str:
    amount: str = data(response)["a"]["creditChanges"]["nodes"][0]["amount"]["amount"]
    return amount


@contextmanager
def slowly(one: World) -> Iterator[Future[httpx.Response]]:
    """Ask for two customers, of whom one is known and the other one takes a while."""
    ask(one)
    one.sandbox.set_fault("cloudreve", SLOW)
    one.sandbox.reset_calls()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(ask, one, TWO, {})
        until(lambda: one.sandbox.calls().get("cloudreve /user/payments"))
        yield asked
        asked.result()
    one.sandbox.clear_fault("cloudreve")


def test_what_is_refreshed_meanwhile_is_not_kept_as_it_was(served: World) -> None:
    account = account_of(served, "hosting")
    with slowly(served) as asked:
        add_entry(served, "61.01")
        served.data(REFRESH, {"id": account})
        assert not asked.done()
        old = asked.result()
    after = [ask(served, TWO, {}) for _ in range(3)]

    assert first_of(old) != "61.01"
    assert [first_of(each) for each in after] == ["61.01"] * 3
    assert not is_hit(after[0])


def test_what_is_unlinked_meanwhile_is_not_kept_as_it_was(served: World) -> None:
    account = account_of(served, "hosting")
    with slowly(served) as asked:
        unlink(served, account)
        assert not asked.done()
        old = asked.result()
    after = [data(ask(served, TWO, {}))["a"]["accounts"] for _ in range(3)]

    assert account in [each["id"] for each in data(old)["a"]["accounts"]]
    assert all(account not in [each["id"] for each in accounts] for accounts in after)


def test_what_stays_as_it_is_meanwhile_is_kept(served: World) -> None:
    with slowly(served) as asked:
        served.data(REFRESH, {"id": account_of(served, "hosting", "C-1003")})
        old = asked.result()
    again = ask(served, TWO, {})

    assert is_hit(again)
    assert again.content == old.content


@needs_redis
@pytest.mark.parametrize("hears", [True, False], ids=["heard", "while it cannot hear"])
def test_what_another_process_refreshes_meanwhile_is_not_kept_as_it_was(
    served: World,
    hears: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    with both(served) as (one, two, redis):
        account = account_of(two, "hosting")
        with redis.client() as client, slowly(one) as asked:
            if not hears:
                client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            add_entry(served, "62.02")
            two.data(REFRESH, {"id": account})
            assert not asked.done()
            old = asked.result()
        until(lambda: first_of(ask(one, TWO, {})) == "62.02", seconds=5)
        after = [first_of(ask(each, TWO, {})) for each in (one, two, one)]

    assert first_of(old) != "62.02"
    assert after == ["62.02"] * 3


@needs_redis
def test_what_was_read_before_one_could_hear_is_not_kept_as_it_was(served: World) -> None:
    """Where it cannot hear as the answer begins, and can as it ends, a word is lost to it."""
    with redis_server() as redis, redis.client() as client:
        client.execute_command("ACL", "SETUSER", "deaf", "on", "nopass", "~*", "&*", "+@all")
        url = redis.url.replace("127.0.0.1", "deaf:nothing@127.0.0.1")
        with both(served, redis, CACHE__URL=url) as (one, deaf, _):
            account = account_of(one, "hosting")
            first = newest(kept(deaf))
            client.execute_command("ACL", "SETUSER", "deaf", "-subscribe")
            client.execute_command("CLIENT", "KILL", "USER", "deaf", "TYPE", "pubsub")
            until(lambda: not is_hit(ask(deaf)))
            with slowly(deaf) as asked:
                add_entry(served, "63.03")
                one.data(REFRESH, {"id": account})
                client.execute_command("ACL", "SETUSER", "deaf", "+subscribe")
                until(lambda: redis.subscribers(CHANNEL) == 2)
                in_time = not asked.done()
                old = asked.result()
            after = [first_of(ask(deaf, TWO, {})) for _ in range(3)]

    assert in_time
    assert first == first_of(old) != "63.03"
    assert after == ["63.03"] * 3


@needs_redis
def test_equal_requests_of_one_moment_ask_once_and_are_all_the_same(served: World) -> None:
    with both(served) as (one, two, redis), ThreadPoolExecutor(20) as pool:
        served.sandbox.reset_calls()
        asked = [pool.submit(ask, each) for each in (one, two) * 15]
        answers = [each.result() for each in asked]
        settled(redis)
        again = [kept(each) for each in (one, two)]
        calls = served.sandbox.calls()

    rows = {str(data(each)["customer"]["creditChanges"]["nodes"]) for each in answers + again}
    assert len(rows) == 1
    assert calls["hostup /billing/credit-log"] == 1


def test_who_goes_away_spoils_nothing(served: World) -> None:
    variables = {"r": "C-1003"}
    body = json.dumps({"query": CHANGES, "variables": variables}).encode()
    for _ in range(50):
        with Conversation(served.url) as gone:
            gone.send(post(body))

    assert data(ask(served, CHANGES, variables))["customer"]["reference"] == "C-1003"
    assert data(kept(served, CHANGES, variables))["customer"]["reference"] == "C-1003"
