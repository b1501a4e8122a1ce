"""
Connections on which commands are sent as they are, and answers come as they are.

A client of redis-py takes some 100 µs of a command: it takes a connection from a pool and counts
that, bounds each of its steps by a task, and gives it back. Here that is left out.
"""

import asyncio
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from app.redis.connection import SOCKET_SECONDS

# A look at a Sentinel, a connection, a password, a database.
_CONNECTED_SECONDS = 4 * SOCKET_SECONDS

Word = str | bytes | int


class Lines:
    """As many connections as are asked at once, made as a pool makes its own."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._all: list[AbstractConnection] = []
        self._idle: list[AbstractConnection] = []

    async def ask(self, *words: Word) -> Any:  # noqa: ANN401 (whatever Redis answers)
        """Return what Redis answers to a command; raises as a client does, and `TimeoutError`."""
        line = self._idle.pop() if self._idle else self._made()
        try:
            if not await _is_ready(line):
                async with asyncio.timeout(_CONNECTED_SECONDS):
                    await line.disconnect(nowait=True)
                    await line.connect()  # type: ignore[no-untyped-call]
            async with asyncio.timeout(SOCKET_SECONDS):
                await line.send_packed_command(line.pack_command(*words), check_health=False)
                return await line.read_response()
        finally:
            # What was ended before its answer had come is not connected any more.
            self._idle.append(line)

    async def aclose(self) -> None:
        for line in self._all:
            await line.disconnect(nowait=True)

    def _made(self) -> AbstractConnection:
        # Its steps are bounded together, above.
        bounds = {**self._pool.connection_kwargs, "socket_timeout": None}
        line: AbstractConnection = self._pool.connection_class(**bounds)
        self._all.append(line)
        return line


async def _is_ready(line: AbstractConnection) -> bool:
    """Say whether a connection is there, and nobody has ended it."""
    try:
        return line.is_connected and not await line.can_read()
    except (RedisError, OSError):
        return False
