"""A gateway in this process: all that happens to a request, without a socket's or client's part."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message


class Timed(NamedTuple):
    """An answer's data, and how long the gateway took for it."""

    data: dict[str, Any]
    seconds: float


class Gateway:
    """A gateway whose lifespan has begun."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def ask(self, query: str, **variables: object) -> Timed:
        """Ask by HTTP as a server would hand it over; errors in the answer are a failure."""
        request = json.dumps({"query": query, "variables": variables}).encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "headers": [
                (b"host", b"127.0.0.1"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(request)).encode()),
            ],
        }
        unread = [{"type": "http.request", "body": request, "more_body": False}]
        body = bytearray()

        async def receive() -> Message:
            if not unread:
                await asyncio.Event().wait()  # the client stays
            return unread.pop()

        async def send(message: Message) -> None:
            body.extend(message.get("body", b""))

        began = time.perf_counter()
        await self._app(scope, receive, send)
        seconds = time.perf_counter() - began
        answer = json.loads(body)
        assert "errors" not in answer, answer["errors"]
        return Timed(answer["data"], seconds)

    async def data(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """Return the data of an answer."""
        return (await self.ask(query, **variables)).data


@asynccontextmanager
async def opened(app: ASGIApp) -> AsyncIterator[Gateway]:
    """Begin and end an application's lifespan."""
    told: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    life = asyncio.create_task(_live(app, scope, told, answers))
    told.put_nowait({"type": "lifespan.startup"})
    begun = await answers.get()
    assert begun["type"] == "lifespan.startup.complete", begun
    try:
        yield Gateway(app)
    finally:
        told.put_nowait({"type": "lifespan.shutdown"})
        await life


async def _live(
    app: ASGIApp, scope: Message, told: asyncio.Queue[Message], answers: asyncio.Queue[Message]
) -> None:
    async def send(message: Message) -> None:
        answers.put_nowait(message)

    await app(scope, told.get, send)
