"""Listening to a gateway in this process."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from redis_server import RedisServer
from viewing import Asked, asking, written
from world import World

from app import settings
from app.api.context import Context
from app.api.deadline import Deadline
from app.api.requests import Request
from app.auth.anonymous import ANONYMOUS
from app.mirror.store import CHANNEL, name_of
from app.model.accounts import Account
from app.model.entries import Stream
from app.model.viewer import Viewer

CHANGES = 'subscription { creditChangeAdded(reference: "C-1001") { id amount { amount } } }'
PAYMENTS = 'subscription { paymentChanged(reference: "C-1001") { id status } }'
REFRESH = """mutation($id: ID!) { refreshAccount(input: { accountId: $id }) {
  sources { state } } }"""
ACCOUNTS = """query { customer(reference: "C-1001") {
  accounts { id label provider { name } } } }"""
LISTS = {
    "cloud": "cloudreve /user/creditChanges",
    "hosting": "hostup /billing/credit-log",
    "loyalty": "carecloud /credit-history",
}
Body = dict[str, Any]


async def answers(
    asked: Asked, query: str, viewer: Viewer = ANONYMOUS
) -> AsyncGenerator[Any, None] | Body:
    """Return the stream of answers to a subscription, or the answer that refuses it."""
    context = Context(asked.services, viewer, Deadline(timedelta(seconds=5)))
    found = await asked._executor.answers(Request(query), context)
    return found if isinstance(found, AsyncGenerator) else written(found.body)


class Heard:
    """What one subscription is told; `ended` is set with its end."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self.ended = asyncio.Event()

    @property
    def rows(self) -> list[Body]:
        """The events, of which none may have an error."""
        assert all("errors" not in body for body in self.bodies), self.bodies
        return [next(iter(body["data"].values())) for body in self.bodies]

    @property
    def ids(self) -> list[str]:
        return [row["id"] for row in self.rows]


@asynccontextmanager
async def heard(
    asked: Asked, query: str = CHANGES, viewer: Viewer = ANONYMOUS
) -> AsyncIterator[Heard]:
    """Listen until the block is left; what is known before is known when it begins."""
    stream = await answers(asked, query, viewer)
    assert isinstance(stream, AsyncGenerator), stream
    told = Heard()

    async def take() -> None:
        async for answer in stream:
            told.bodies.append(written(answer.body))
        told.ended.set()

    task = asyncio.create_task(take())
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stream.aclose()


async def soon(holds: Callable[[], object], seconds: float = 60) -> None:
    """Return when it holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def account_of(asked: Asked, name: str) -> str:
    """Return the id of an account, as the schema writes it."""
    found = await asked.ask(ACCOUNTS)
    accounts = found["data"]["customer"]["accounts"]
    return next(str(each["id"]) for each in accounts if each["provider"]["name"] == name)


async def refresh(asked: Asked, name: str) -> None:
    """Have an account's provider asked now."""
    answer = await asked.ask(REFRESH, id=await account_of(asked, name))
    assert "errors" not in answer, answer


async def records(asked: Asked) -> list[Account]:
    (customer,) = await asked.services.directory.customers_by_reference(["C-1001"])
    assert customer
    (found,) = await asked.services.directory.accounts_by_customer([customer.id])
    return found


def names(accounts: list[Account], stream: Stream) -> list[str]:
    """Return the names of the accounts' histories, by which they are told of."""
    return [name_of(one.id, stream, one.revision) for one in accounts]


def is_at_rest(asked: Asked) -> bool:
    """Say whether nobody is listened for: no task, no feed, no ear for a word."""
    feeds = asked.services.feeds
    keepers = feeds._mirror._keepers.values()
    return not (feeds._tasks or feeds._feeds or any(keeper._heeds._of for keeper in keepers))


@asynccontextmanager
async def gateways(served: World, redis_url: str, count: int) -> AsyncIterator[list[Asked]]:
    """Open so many gateways on one Redis and one directory, each with its own memory."""
    shared = settings.load(served.folder / "gateway.toml", {"GATEWAY_CACHE__URL": redis_url})
    world = replace(served, settings=shared)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(asking(world)) for _ in range(count)]


async def live(gateways: list[Asked]) -> None:
    """Return when each gateway hears what the others tell."""
    for one in gateways:
        await soon(
            lambda one=one: (
                one.services.mirror._keepers[  # type: ignore[misc]
                    Stream.PAYMENTS
                ]._changes.is_live
            )
        )


async def listen(
    stack: AsyncExitStack, to: list[Asked], times: int, query: str = CHANGES
) -> list[Heard]:
    """Have so many listeners at each gateway."""
    return [
        await stack.enter_async_context(heard(each, query)) for each in to for _ in range(times)
    ]


def remind(redis: RedisServer, names: list[str]) -> None:
    """Make every watch of every process look at once."""
    with redis.client() as client:
        for name in names:
            client.publish(CHANNEL, f"{name} reminded")
