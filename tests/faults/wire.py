"""What lies between a gateway and its providers: a relay for each, which can be given a fault."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_END_OF_HEAD = b"\r\n\r\n"
_MOST_HEAD_BYTES = 1 << 16


@dataclass
class Exchange:
    """One request that arrived for a provider, and the connection it came by."""

    request: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decoy: str
    now: datetime
    _sandbox: tuple[str, int]

    async def answer(self) -> bytes:
        """Return what the sandbox answers, head and body."""
        reader, writer = await asyncio.open_connection(*self._sandbox)
        try:
            writer.write(self.request)
            return await message(reader)
        finally:
            writer.close()

    async def say(self, said: bytes) -> None:
        """Send bytes to the gateway; returns when most of them have left."""
        self.writer.write(said)
        await self.writer.drain()

    async def until_gone(self) -> None:
        """Return when the gateway has closed the connection."""
        while await self.reader.read(1 << 16):
            pass


Fault = Callable[[Exchange], Awaitable[None]]
"""Answers an exchange in its own way; the connection is closed after it."""


class Wire:
    """A relay for each provider on a free port of the loopback, in a thread; a context manager.

    `calls` counts the requests that arrived for each provider, and `astray` the connections that
    were made to an address nobody was told but by a redirect. `clock` is the gateway's.
    """

    def __init__(self, sandbox_url: str, providers: Iterable[str]) -> None:
        parts = urlsplit(sandbox_url)
        self._sandbox = (str(parts.hostname), int(parts.port or 0))
        self._providers = tuple(providers)
        self._faults: dict[str, Fault] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.Server] = []
        self._conversations: set[asyncio.Task[Any]] = set()
        self.ports: Mapping[str, int] = {}
        self.calls: Counter[str] = Counter()
        self.astray = 0
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._decoy = ""

    def set_fault(self, provider: str, fault: Fault) -> None:
        """Let all that a provider is asked from now on meet a fault."""
        self._faults[provider] = fault

    def clear(self) -> None:
        """Let all providers answer again."""
        self._faults.clear()

    def url(self, provider: str) -> str:
        """Return the origin of a provider's relay."""
        return f"http://127.0.0.1:{self.ports[provider]}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._within(self._start())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._within(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _within(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        self.ports = {name: await self._serve(self._relay(name)) for name in self._providers}
        self._decoy = f"http://127.0.0.1:{await self._serve(self._count_astray)}/elsewhere"

    async def _serve(
        self,
        converse: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
    ) -> int:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            self._conversations.add(task)
            try:
                # A gateway may close what it has no use for at any time, and so may a test.
                with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                    await converse(reader, writer)
            finally:
                self._conversations.discard(task)
                writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=_MOST_HEAD_BYTES)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        tasks = list(self._conversations)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _relay(
        self, provider: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                request = await message(reader)
                self.calls[provider] += 1
                exchange = Exchange(
                    request, reader, writer, self._decoy, self.clock(), self._sandbox
                )
                fault = self._faults.get(provider)
                if fault:
                    await fault(exchange)
                    return
                await exchange.say(await exchange.answer())

        return relay

    async def _count_astray(
        self, _reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> None:
        self.astray += 1


async def message(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP message whose length its head tells, none being nothing."""
    head = await reader.readuntil(_END_OF_HEAD)
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return head + await reader.readexactly(sum(lengths))
