"""Whole histories of 10,000 entries of each provider in a Redis, and a gateway that reads them."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from in_process import Gateway, opened
from redis import Redis
from redis_server import RedisServer, redis_server
from world import configuration, import_customers

from app import settings
from app.main import create_app
from app.mirror.store import Found, RedisStore, name_of
from app.model.entries import Stream
from app.providers.page import supports
from app.redis.connection import connect
from app.redis.guard import Guard
from app.sandbox import Sandbox, SandboxServer
from app.services import services

ENTRIES = 10_000
OWNER = "C-1001"
# Nothing grows old, no caller asks too much, and the pages of CareCloud are as large as may be.
MORE = """
page_size = 1000

[cache]
url = "{redis}"
fresh_for = "1d"

[limits]
rate = "1000000/minute"
cost = 1000000
"""


@dataclass
class Stored:
    """One mirror as it is in Redis, where `bytes` more are used since it was written."""

    provider: str
    stream: Stream
    bytes: int
    found: Found
    translation: str


@dataclass
class LongHistories:
    """A gateway over the mirrors of one customer, whose node is `owner`."""

    run: asyncio.Runner
    gateway: Gateway
    mirrors: list[Stored]
    owner: str


@contextmanager
def long_histories(folder: Path) -> Iterator[LongHistories]:
    """Read all histories of a customer into a Redis, and begin a gateway that has none yet."""
    with (
        redis_server() as redis,
        SandboxServer(Sandbox(entries=ENTRIES, customers=2)) as providers,
        asyncio.Runner() as runner,
    ):
        file = configuration(folder, providers.url, MORE.format(redis=redis.url))
        configured = settings.load(file, {})
        asyncio.run(import_customers(configured, providers.sandbox.sample_customers()))
        mirrors = runner.run(_filled(configured, redis))
        stack = AsyncExitStack()
        gateway = runner.run(stack.enter_async_context(opened(create_app(configured))))
        asked = gateway.ask("query($r: String!) { customer(reference: $r) { id } }", r=OWNER)
        owner = runner.run(asked).data["customer"]["id"]
        try:
            yield LongHistories(runner, gateway, mirrors, owner)
        finally:
            runner.run(stack.aclose())


async def _filled(configured: settings.Settings, redis: RedisServer) -> list[Stored]:
    async with services(configured) as opened_services, AsyncExitStack() as stack:
        client = connect(redis.url)
        stack.push_async_callback(client.aclose)
        guard = Guard(client)
        stack.push_async_callback(guard.aclose)
        store = RedisStore(guard, kept_for=timedelta(days=1))
        counter = stack.enter_context(redis.client())
        directory, mirror = opened_services.directory, opened_services.mirror
        customer = (await directory.customers_by_reference([OWNER]))[0]
        assert customer
        mirrors = []
        for account in (await directory.accounts_by_customer([customer.id]))[0]:
            provider = opened_services.providers[account.provider]
            for stream in (stream for stream in Stream if supports(provider, stream)):
                before = _used(counter)
                snapshot = await mirror.deepen(account, stream, None)
                assert len(snapshot.entries) == ENTRIES
                used = _used(counter) - before
                found = await store.look(name_of(account.id, stream, account.revision))
                mirrors.append(Stored(account.provider, stream, used, found, provider.translation))
        return mirrors


def _used(client: Redis) -> int:
    used: int = client.info("memory")["used_memory"]
    return used
