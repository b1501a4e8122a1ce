"""Upstreams of the tests' own: a small HTTP server on loopback that says what it is told to say."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever was sent
        return json.loads(self.body)


Send = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """One answer; `send` writes it byte by byte instead, and the connection ends after it."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = "application/json"
    send: Send | None = None


Answer = Callable[[Asked], Reply | Awaitable[Reply]]


@dataclass
class Upstream:
    """A server that is up; `answer` may be replaced while it is."""

    url: str
    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(json.dumps(value).encode(), status, named)


def by_path(table: Mapping[str, Reply | object]) -> Answer:
    """Answer each path with its reply, or with its value as JSON; anything else with a 404."""

    def answer(asked: Asked) -> Reply:
        if asked.path not in table:
            return Reply(b"{}", 404)
        value = table[asked.path]
        return value if isinstance(value, Reply) else as_json(value)

    return answer


def in_turn(*replies: Reply) -> Answer:
    """Answer with each reply once and then with the last one for ever."""
    left = list(replies)

    def answer(_asked: Asked) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


@asynccontextmanager
async def upstream(answer: Answer) -> AsyncIterator[Upstream]:
    """Serve on a free port; held connections are let go in the end."""
    tasks: set[asyncio.Task[None]] = set()
    here = Upstream("", answer)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _converse(here, reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    here.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield here
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def _converse(
    here: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while True:
        asked = await _read(reader)
        here.asked.append(asked)
        here.at_once += 1
        here.most_at_once = max(here.most_at_once, here.at_once)
        try:
            said = here.answer(asked)
            reply = said if isinstance(said, Reply) else await said
            if reply.send is not None:
                await reply.send(writer)
                return
            writer.write(_head(reply) + reply.body)
            await writer.drain()
        finally:
            here.at_once -= 1


async def _read(reader: asyncio.StreamReader) -> Asked:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    pairs = (line.partition(":") for line in lines[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Asked(method, parts.path, query, headers, body)


def _head(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body)), **reply.headers}
    if reply.content_type is not None:
        headers["Content-Type"] = reply.content_type
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} Said\r\n{lines}\r\n".encode("latin-1")
