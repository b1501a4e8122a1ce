"""What lies between a gateway and its providers: a relay for each, which can be given a fault."""

import asyncio
import socket
import ssl
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
# In a few turns of the event loop a connection that was cut is closed.
_CLOSED_SECONDS = 0.02


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

Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

Greeting = ssl.SSLContext | Converse
"""How a connection begins: encrypted, by a certificate; or in a way of its own, and that is all."""


class Wire:
    """A relay for each provider on a free port of the loopback, in a thread; a context manager.

    It speaks HTTPS where it is told how to greet, and else HTTP.

    `calls` counts the requests that arrived for each provider, and `astray` the connections that
    were made to an address nobody was told but by a redirect. `clock` is the gateway's.
    """

    def __init__(
        self, sandbox_url: str, providers: Iterable[str], greeting: Greeting | None = None
    ) -> None:
        parts = urlsplit(sandbox_url)
        self._sandbox = (str(parts.hostname), int(parts.port or 0))
        self._providers = tuple(providers)
        self._greeting = greeting
        self._greetings: dict[str, Greeting] = {}
        self._faults: dict[str, Fault] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._listening: set[asyncio.Task[None]] = set()
        self._conversations: dict[asyncio.Task[None], str] = {}
        self.ports: Mapping[str, int] = {}
        self.calls: Counter[str] = Counter()
        self.astray = 0
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._decoy = ""

    def set_fault(self, provider: str, fault: Fault) -> None:
        """Let all that a provider is asked from now on meet a fault."""
        self._faults[provider] = fault

    def is_faulty(self, provider: str) -> bool:
        return provider in self._faults

    def greet(self, provider: str, greeting: Greeting) -> None:
        """Let a provider's connections begin so from now on; those that there are end."""
        self._greetings[provider] = greeting
        self._within(self._hang_up(provider))

    def clear(self) -> None:
        """Let all providers answer again."""
        self._faults.clear()
        self._greetings.clear()

    def url(self, provider: str) -> str:
        """Return the origin of a provider's relay."""
        scheme = "https" if self._greeting else "http"
        return f"{scheme}://127.0.0.1:{self.ports[provider]}"

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
        self.ports = {name: self._listen(self._relay(name), name) for name in self._providers}
        self._decoy = f"http://127.0.0.1:{self._listen(self._count_astray)}/elsewhere"

    def _listen(self, converse: Converse, provider: str = "") -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(0)
        self._listening.add(self._loop.create_task(self._accept(listener, converse, provider)))
        port: int = listener.getsockname()[1]
        return port

    async def _accept(self, listener: socket.socket, converse: Converse, provider: str) -> None:
        with listener:
            while True:
                own, _ = await self._loop.sock_accept(listener)
                task = self._loop.create_task(self._begin(own, converse, provider))
                self._conversations[task] = provider
                task.add_done_callback(self._conversations.pop)

    async def _begin(self, own: socket.socket, converse: Converse, provider: str) -> None:
        greeting = self._greetings.get(provider, self._greeting) if provider else None
        secure, beginning = None, converse
        if isinstance(greeting, ssl.SSLContext):
            secure = greeting
        elif greeting:
            beginning = greeting
        reader = asyncio.StreamReader(_MOST_HEAD_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        # A gateway may close what it has no use for at any time, and so may a test.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, own, ssl=secure
            )
            writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
            try:
                await beginning(reader, writer)
            except asyncio.CancelledError:
                writer.transport.abort()  # encrypted ones would say goodbye, and wait for an answer
            finally:
                writer.close()

    async def _hang_up(self, provider: str) -> None:
        await _end([task for task, whose in self._conversations.items() if whose == provider])

    async def _stop(self) -> None:
        await _end([*self._listening, *self._conversations])

    def _relay(self, provider: str) -> Converse:
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


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(_CLOSED_SECONDS)


async def message(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP message whose length its head tells, none being nothing."""
    head = await reader.readuntil(_END_OF_HEAD)
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return head + await reader.readexactly(sum(lengths))
