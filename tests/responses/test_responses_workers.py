"""What one of several workers keeps the others give, until it changes at any of them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from asking_again import LONG, account_of, add_entry, ask, is_hit, kept, newest, settled
from changing import credentials, link, linked, unlink
from draining import served as command
from lists import until
from redis_server import RedisServer, needs_redis, redis_server
from world import MovableClock, World, configuration, import_customers

from app import settings
from app.sandbox import Sandbox, SandboxServer

pytestmark = [
    needs_redis,
    pytest.mark.skipif(
        not Path("/proc").is_dir(), reason="workers are told apart by Linux's /proc"
    ),
]
QUERY = """query($r: String!) { customer(reference: $r) { accounts { id }
  creditChanges(first: 2) { nodes { id amount { amount } } sources { state } } } }"""
REFRESH = "mutation($id: ID!) { refreshAccount(input: { accountId: $id }) { account { id } } }"
MOST_CONNECTIONS = 200


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as one:
        yield one


@pytest.fixture(scope="module", params=["64MiB", "1B"], ids=["everywhere", "in Redis"])
def workers(
    request: pytest.FixtureRequest, redis: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, World]]:
    """Serve one gateway with two workers, and return each by a connection that it has taken."""
    folder = tmp_path_factory.mktemp("workers")
    with redis.client() as client:
        client.flushall()
    with ExitStack() as stack:
        providers = stack.enter_context(SandboxServer(Sandbox(entries=15)))
        more = f'{LONG}url = "{redis.url}"\nresponse_memory = "{request.param}"\n'
        file = configuration(folder, providers.url, more)
        configured = settings.load(file, {})
        asyncio.run(import_customers(configured, providers.sandbox.sample_customers()))
        origin = stack.enter_context(command(file, "--workers", "2")).origin
        until(lambda: is_ready(origin), seconds=60)
        found: dict[int, httpx.Client] = {}
        for _ in range(MOST_CONNECTIONS):
            http = httpx.Client(base_url=origin, timeout=30, trust_env=False)
            if (pid := worker_of(http)) in found:
                http.close()
                continue
            found[pid] = http
            stack.callback(http.close)
            if len(found) == 2:
                break
        one, two = (
            World(origin, providers.sandbox, MovableClock(), configured, http, folder)
            for http in found.values()
        )
        yield one, two
        # Each was asked by its own connection to the end.
        assert [worker_of(http) for http in found.values()] == list(found)


def is_ready(origin: str) -> bool:
    return httpx.get(f"{origin}/readyz", trust_env=False, timeout=30).is_success


def worker_of(http: httpx.Client) -> int:
    """Return the process that has taken a client's connection."""
    stream = http.get("/livez").extensions["network_stream"]
    ends = urlsplit(str(http.base_url)).port, stream.get_extra_info("client_addr")[1]
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    inode = next(row[9] for row in rows if (port_of(row[1]), port_of(row[2])) == ends)
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) == f"socket:[{inode}]":
                return int(descriptor.parts[2])
        except OSError:  # it is closed by now, or not ours to look at
            continue
    raise AssertionError("nobody has the connection")


def port_of(address: str) -> int:
    return int(address.partition(":")[2], 16)


def refreshed(one: World) -> Callable[[httpx.Response], bool]:
    one.data(REFRESH, {"id": account_of(one, "hosting", "C-1002")})
    return lambda answer: newest(answer) == "81.01"


def unlinked(one: World) -> Callable[[httpx.Response], bool]:
    account = account_of(one, "hosting", "C-1003")
    unlink(one, account)
    return lambda answer: account not in answer.text


def linked_to_one_more(one: World) -> Callable[[httpx.Response], bool]:
    given = credentials(one, "hosting")
    account = linked(link(one, "C-1001", "hosting", given, "one more"))["id"]
    return lambda answer: account in answer.text


CASES = {"C-1002": refreshed, "C-1003": unlinked, "C-1001": linked_to_one_more}


@pytest.mark.parametrize("reference", CASES)
def test_what_one_worker_keeps_the_other_gives_until_it_changes(
    workers: tuple[World, World], redis: RedisServer, reference: str
) -> None:
    one, two = workers
    variables, before = {"r": reference}, len(settled(redis, 0))
    first = ask(one, QUERY, variables)
    settled(redis, before + 1)
    again = ask(two, QUERY, variables)
    add_entry(one, "81.01", reference)
    unseen = [ask(each, QUERY, variables) for each in (one, two)]
    is_new = CASES[reference](one)
    at_once = ask(one, QUERY, variables)
    until(lambda: is_new(ask(two, QUERY, variables)), seconds=5)
    later = [kept(each, QUERY, variables) for each in (two, one)]

    assert is_hit(again)
    assert again.content == first.content
    # Without a word of it nothing would be taken away.
    assert all(each.content == first.content for each in unseen)
    assert not is_new(first)
    assert is_new(at_once)
    assert all(is_new(each) for each in later)
