"""One connection that listens to one channel."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio.cluster import RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.redis.connection import SOCKET_SECONDS, Client

PONG = object()


class Silent(Exception):
    """Redis did not confirm a subscription or a ping in time."""


class Subscription:
    """A confirmed subscription; any error means that it is lost."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def ping(self) -> None:
        """Ask for an answer, which comes between the messages."""
        await self._connection.send_command("PING", check_health=False)

    async def next(self, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 (a message, PONG or None)
        """Return the next message as text, PONG, or None after `timeout` seconds."""
        answer = await self._connection.read_response(timeout=timeout)
        if isinstance(answer, list) and answer[:1] == [b"message"]:
            return answer[2].decode(errors="replace")
        return None if answer is None else PONG


@asynccontextmanager
async def subscribed(client: Client, channel: str) -> AsyncIterator[Subscription]:
    """Subscribe on a connection of its own; with Sentinel to the primary, else to a live node."""
    connection = await _connection(client)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_command("SUBSCRIBE", channel, check_health=False)
        if await connection.read_response(timeout=SOCKET_SECONDS) is None:
            raise Silent
        yield Subscription(connection)
    finally:
        await asyncio.shield(connection.disconnect(nowait=True))


async def _connection(client: Client) -> AbstractConnection:
    if not isinstance(client, RedisCluster):
        return client.connection_pool.make_connection()  # type: ignore[no-any-return, no-untyped-call]
    # Every node hears what is published on any; after a lost one, chance finds another.
    await client.initialize()
    node = random.choice(client.get_nodes())  # noqa: S311 (nothing is guessed from it)
    bounds = {**node.connection_kwargs, "retry": Retry(NoBackoff(), 0)}
    return node.connection_class(**bounds)
