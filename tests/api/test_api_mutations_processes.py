"""What one process links, unlinks or deletes is so for all processes within a second."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from changing import NEWEST, credentials, delete, link, linked, refusal, unlink
from lists import until
from redis_server import RedisServer, needs_redis, redis_server
from world import World, gateway, world

from app import settings

pytestmark = needs_redis
CUSTOMER = """query($r: String!) { customer(reference: $r) {
  accounts { id label provider { name } } } }"""
# `fresh_for` is long, so that nothing but a purge makes anybody ask a provider again.
MORE = '[cache]\nfresh_for = "1h"'


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=MORE, entries=20) as one:
        yield one


@contextmanager
def both(served: World) -> Iterator[tuple[World, World, RedisServer]]:
    """Serve two gateways on one Redis and one directory."""
    with redis_server() as redis, ExitStack() as stack:
        shared = settings.load(served.folder / "gateway.toml", {"GATEWAY_CACHE__URL": redis.url})
        one, other = (
            stack.enter_context(gateway(shared, served.sandbox, served.folder)) for _ in range(2)
        )
        yield one, other, redis


def account_of(one: World, name: str, reference: str = "C-1001") -> dict[str, Any]:
    accounts = one.data(CUSTOMER, {"r": reference})["customer"]["accounts"]
    found: dict[str, Any] = next(each for each in accounts if each["provider"]["name"] == name)
    return found


def entries(one: World, account_id: str) -> list[tuple[str, str]] | None:
    """Return when the newest entries were and their amounts; None where there is no account."""
    node = one.data(NEWEST, {"id": account_id})["node"]
    if node is None:
        return None
    return [(row["occurredAt"], row["amount"]["amount"]) for row in node["creditChanges"]["nodes"]]


def kept(redis: RedisServer) -> list[bytes]:
    """Return which documents in Redis hold what was read."""
    with redis.client() as client:
        keys = [key for key in client.scan_iter("*") if client.type(key) == b"hash"]
        return [key for key in keys if client.hexists(key, "s")]


def test_an_unlinked_account_is_gone_everywhere_with_all_that_was_read(served: World) -> None:
    with both(served) as (one, other, redis):
        accounts = {name: account_of(one, name)["id"] for name in ("cloud", "hosting")}
        assert entries(one, accounts["cloud"])
        others = set(kept(redis))
        read = [entries(each, accounts["hosting"]) for each in (one, other)]
        before = set(kept(redis))

        unlinked = unlink(one, accounts["hosting"])
        until(lambda: entries(other, accounts["hosting"]) is None, seconds=5)
        until(lambda: set(kept(redis)) == others, seconds=5)

        assert "errors" not in unlinked
        assert read[0] == read[1]
        assert read[0]
        assert len(before - others) == len(others) == 2
        assert refusal(unlink(other, accounts["hosting"])) == ("NOT_FOUND", None)
        assert entries(other, accounts["cloud"])


def test_a_deleted_customer_is_gone_everywhere_with_all_that_was_read(served: World) -> None:
    with both(served) as (one, other, redis):
        accounts = [account_of(one, name)["id"] for name in ("cloud", "hosting", "loyalty")]
        read = [entries(each, account) for each in (one, other) for account in accounts]

        deleted = delete(one, "C-1001")
        until(lambda: other.data(CUSTOMER, {"r": "C-1001"})["customer"] is None, seconds=5)
        until(lambda: kept(redis) == [], seconds=5)

        assert "errors" not in deleted
        assert all(read)
        assert [entries(other, account) for account in accounts] == [None] * 3
    with closing(sqlite3.connect(served.folder / "credit-gateway.db")) as database:
        (left,) = database.execute(
            "SELECT count(*) FROM accounts JOIN customers ON customers.id = customer_id "
            "WHERE reference = 'C-1001'"
        ).fetchone()
    assert left == 0


@pytest.mark.parametrize("name", ["cloud", "hosting", "loyalty"])
def test_nothing_of_former_credentials_appears_once_others_are_linked(
    served: World, name: str
) -> None:
    with both(served) as (one, other, _):
        account = account_of(one, name)
        former = [entries(each, account["id"]) for each in (one, other)]
        wanted = entries(other, account_of(other, name, "C-1003")["id"])

        given = credentials(served, name, "C-1003")
        again = linked(link(one, "C-1001", name, given, account["label"]))
        ends = time.monotonic() + 1
        seen = [entries(each, account["id"]) for each in (one, other)]
        while time.monotonic() < ends:
            seen += [entries(each, account["id"]) for each in (one, other)]

        assert again["id"] == account["id"]
        assert former[0] == former[1] != wanted
        assert wanted
        assert all(each == wanted for each in seen)


def test_nothing_of_former_credentials_appears_where_redis_was_away_meanwhile(
    served: World,
) -> None:
    with both(served) as (one, other, redis):
        account = account_of(one, "hosting")
        former = entries(one, account["id"])
        assert former == entries(other, account["id"])
        wanted = entries(other, account_of(other, "hosting", "C-1003")["id"])
        redis.pause()
        again = linked(
            link(one, "C-1001", "hosting", credentials(served, "hosting", "C-1003"), "Hosting")
        )
        away = [entries(one, account["id"])]
        # Nobody can tell the other one, which finds out within the second.
        until(lambda: entries(other, account["id"]) == wanted, seconds=5)
        redis.go_on()
        time.sleep(1)
        back = [entries(each, account["id"]) for each in (one, other)]

        assert again["id"] == account["id"]
        assert former != wanted
        assert wanted
        assert [*away, *back] == [wanted] * 3
