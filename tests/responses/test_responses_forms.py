"""Over any Redis and any directory, what one gateway keeps the other gives, until it changes."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from asking_again import LONG, account_of, add_entry, ask, is_hit, kept, newest, written
from changing import credentials, link, linked, unlink
from lists import until
from postgres_server import PostgresServer, needs_postgresql
from redis_cluster import RedisCluster, redis_cluster
from redis_sentinel import Sentinels, redis_sentinels
from redis_server import RedisServer, needs_redis, redis_server
from world import World, gateway, import_customers, world

from app import settings

pytestmark = needs_redis
QUERY = """query($r: String!) { customer(reference: $r) { accounts { id }
  creditChanges(first: 2) { nodes { id amount { amount } } sources { state } } } }"""
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
ONLY_REDIS = {"CACHE__RESPONSE_MEMORY": "1B"}
# Of a Cluster, those that begin as primaries; each has keys of its own.
PRIMARIES = 3
NOBODY_IS_LOST_MS = 30_000
IsNew = Callable[[httpx.Response], bool]


class Form(NamedTuple):
    """A Redis and a directory as settings name them, and the servers that the Redis consists of."""

    environ: dict[str, str]
    nodes: Sequence[RedisServer]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with redis_cluster(NOBODY_IS_LOST_MS) as one:
        yield one


@pytest.fixture(scope="module")
def sentinels() -> Iterator[Sentinels]:
    with redis_sentinels(lost_after_ms=NOBODY_IS_LOST_MS) as one:
        yield one


@pytest.fixture(params=["cluster", "sentinels", pytest.param("postgres", marks=needs_postgresql)])
def form(request: pytest.FixtureRequest) -> Iterator[Form]:
    """Return each form, its Redis empty."""
    with ExitStack() as stack:
        found = request.getfixturevalue(request.param)
        if isinstance(found, PostgresServer):
            redis = stack.enter_context(redis_server())
            url = asyncio.run(found.new_database())
            yield Form({"CACHE__URL": redis.url, "DIRECTORY__URL": url}, [redis])
            return
        is_cluster = isinstance(found, RedisCluster)
        nodes = found.nodes[:PRIMARIES] if is_cluster else [found.primary()]
        for node in nodes:
            with node.client() as client:
                client.flushall()
        yield Form({"CACHE__URL": found.url}, nodes)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, more=LONG, entries=15) as one:
        yield one


@contextmanager
def both(served: World, form: Form, more: dict[str, str]) -> Iterator[tuple[World, World]]:
    """Serve two gateways on one form; `more` is what the second one has else."""
    environ = {f"GATEWAY_{name}": text for name, text in form.environ.items()}
    file = served.folder / "gateway.toml"
    if "DIRECTORY__URL" in form.environ:
        customers = served.sandbox.sample_customers()
        asyncio.run(import_customers(settings.load(file, environ), customers))
    other = environ | {f"GATEWAY_{name}": text for name, text in more.items()}
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(gateway(settings.load(file, each), served.sandbox, served.folder))
            for each in (environ, other)
        )
        yield one, two


def refreshed(one: World) -> IsNew:
    one.data(REFRESH, {"id": account_of(one, "hosting")})
    return lambda answer: newest(answer) == "81.01"


def unlinked(one: World) -> IsNew:
    account = account_of(one, "hosting")
    unlink(one, account)
    return lambda answer: account not in answer.text


def linked_to_one_more(one: World) -> IsNew:
    given = credentials(one, "hosting")
    account = linked(link(one, "C-1001", "hosting", given, "one more"))["id"]
    return lambda answer: account in answer.text


@pytest.mark.parametrize("change", [refreshed, unlinked, linked_to_one_more])
@pytest.mark.parametrize("other", [{}, ONLY_REDIS], ids=["everywhere", "in Redis"])
def test_what_one_keeps_the_other_gives_until_it_changes(
    served: World, form: Form, change: Callable[[World], IsNew], other: dict[str, str]
) -> None:
    with both(served, form, other) as (one, two):
        first = ask(one, QUERY)
        until(lambda: any(written(node) for node in form.nodes))
        served.sandbox.reset_calls()
        again = ask(two, QUERY)
        calls = served.sandbox.calls()
        add_entry(one, "81.01")
        unseen = [kept(each, QUERY) for each in (one, two)]
        is_new = change(one)
        at_once = ask(one, QUERY)
        until(lambda: is_new(ask(two, QUERY)), seconds=5)
        later = [kept(each, QUERY) for each in (one, two)]

    assert is_hit(again)
    assert again.content == first.content
    assert calls == {}
    # Without a word of it nothing would be taken away.
    assert all(each.content == first.content for each in unseen)
    assert not is_new(first)
    assert is_new(at_once)
    assert all(is_new(each) for each in later)


@pytest.mark.parametrize("other", [{}, ONLY_REDIS], ids=["everywhere", "in Redis"])
def test_what_both_give_a_third_one_gives_that_comes_later(
    served: World, form: Form, other: dict[str, str]
) -> None:
    with both(served, form, other) as (one, two):
        first = ask(one, QUERY)
        until(lambda: any(written(node) for node in form.nodes))
        ask(two, QUERY)
    served.sandbox.reset_calls()
    environ = {f"GATEWAY_{name}": text for name, text in form.environ.items()}
    configured = settings.load(served.folder / "gateway.toml", environ)
    with gateway(configured, served.sandbox, served.folder) as third:
        again = ask(third, QUERY)

    assert is_hit(again)
    assert again.content == first.content
    assert served.sandbox.calls() == {}
