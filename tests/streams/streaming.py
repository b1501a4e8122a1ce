"""Streams of invented answers, served as the gateway serves its own, and clients of them."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response as HttpResponse
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from world import serving

from app.api.answering import Answering
from app.api.context import Context
from app.api.entrance import Entrance
from app.api.execution import Executor, Outcome, Response
from app.api.requests import Request as Asked
from app.api.requests import parsed
from app.api.streams.sse import event_stream
from app.api.streams.streams import Ask, Pace, Streams
from app.api.streams.websocket import WebSocketEndpoint
from app.auth.anonymous import ANONYMOUS
from app.metrics.metrics import Metrics
from app.model.clock import utc_now
from app.model.viewer import Known, Viewer
from app.redis.rates import Allowance

PROTOCOL = "graphql-transport-ws"
# Short, so that what has to end does so within a test.
PACE = Pace(
    to_begin=timedelta(seconds=1),
    to_take=timedelta(seconds=1),
    between_checks=timedelta(seconds=0.2),
    of_silence=timedelta(seconds=0.3),
)
# What a client says of each frame would be kept by the test's own log.
_QUIET = logging.getLogger("streaming")
_QUIET.setLevel(logging.WARNING)
LARGE = "x" * 20_000


async def everybody(_: Sequence[str]) -> Known:
    return Known(ANONYMOUS)


@dataclass
class Source:
    """Answers what a document of one word asks for; counts what is open and what was told."""

    open: int = 0
    told: int = 0
    subscribed: int = 0

    async def answers(
        self, request: Asked, _: Context, *, queries_only: bool = False
    ) -> Response | AsyncGenerator[Response, None]:
        assert not queries_only
        word = request.query or ""
        if word == "one":
            return _answer(1)
        if word == "slow":
            await asyncio.sleep(0.5)
            return _answer(2)
        if word == "invalid":
            return _refusal()
        self.subscribed += 1
        return self._events(word)

    async def _events(self, word: str) -> AsyncGenerator[Response, None]:
        self.open += 1
        try:
            match word:
                case "three":
                    for number in (1, 2, 3):
                        yield self._told(number)
                case "broken":
                    yield self._told(1)
                    yield _refusal()
                case "silent":
                    await asyncio.Event().wait()
                case "ticking":
                    while True:
                        yield self._told(self.told)
                        await asyncio.sleep(0.02)
                case "flood":
                    while True:
                        yield self._told(LARGE)
                        await asyncio.sleep(0.002)
        finally:
            self.open -= 1

    def _told(self, value: object) -> Response:
        self.told += 1
        return _answer(value)


def _answer(value: object) -> Response:
    return Response({"data": {"value": value}}, Outcome.EXECUTED)


def _refusal() -> Response:
    errors = [{"message": "No such word.", "extensions": {"code": "BAD_USER_INPUT"}}]
    return Response({"errors": errors}, Outcome.INVALID)


@dataclass
class Served:
    """Streams that are served at `url`; `tasks` is the number of those of the server's loop."""

    url: str
    source: Source
    streams: Streams
    loops: list[asyncio.AbstractEventLoop] = field(default_factory=list)

    @property
    def tasks(self) -> int:
        return len(asyncio.all_tasks(self.loops[0]))

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)


@contextmanager
def served(
    ask: Ask = everybody,
    *,
    pace: Pace = PACE,
    most: int = 512,
    most_of_one: int = 512,
    at_once: int = 256,
    origins: Sequence[str] = (),
    refused: Sequence[str] = (),
) -> Iterator[Served]:
    """Serve streams to those whom `ask` knows; subjects in `refused` have no operations left."""
    source = Source()
    streams = Streams(ask, utc_now, pace, most=most, most_of_one=most_of_one, at_once=at_once)
    loops: list[asyncio.AbstractEventLoop] = []

    async def who(connection: HTTPConnection) -> Viewer:
        return (await ask(connection.headers.getlist("authorization"))).viewer

    async def take(viewer: Viewer) -> Allowance:
        allowed = viewer.subject not in refused
        return Allowance(allowed, 9, 60, 0, 60, 6.5)

    def make_context(_: HTTPConnection, viewer: Viewer) -> Context:
        return cast("Context", viewer)

    executes = cast("Executor", source)
    answering = Answering(executes, None, Metrics())
    entrance = Entrance(who, take, make_context, executes, streams, answering)

    async def events(http: Request) -> HttpResponse:
        viewer = await who(http)
        request = parsed(await http.json())
        answers = await source.answers(request, make_context(http, viewer))
        return event_stream(streams, viewer, http, answers, {"RateLimit": "x"})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        loops.append(asyncio.get_running_loop())
        yield

    sockets = WebSocketEndpoint(lambda _: entrance, origins)
    routes = [
        Route("/graphql", events, methods=["POST"]),
        WebSocketRoute("/graphql", sockets.serve),
    ]
    with serving(Starlette(routes=routes, lifespan=lifespan)) as url:
        yield Served(url, source, streams, loops)


@asynccontextmanager
async def socket(
    url: str,
    *,
    protocols: Sequence[str] = (PROTOCOL,),
    origin: str | None = None,
    headers: dict[str, str] | None = None,
) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket; it is closed in the end."""
    async with connect(
        url.replace("http", "ws", 1) + "/graphql",
        subprotocols=cast("Any", list(protocols)) or None,
        origin=cast("Any", origin),
        additional_headers=headers,
        proxy=None,
        compression=None,
        logger=_QUIET,
        open_timeout=25,
    ) as one:
        yield one


@asynccontextmanager
async def begun(
    url: str,
    payload: dict[str, Any] | None = None,
    *,
    protocols: Sequence[str] = (PROTOCOL,),
    headers: dict[str, str] | None = None,
) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket whose caller is known."""
    async with socket(url, protocols=protocols, headers=headers) as one:
        await say(one, type="connection_init", **({} if payload is None else {"payload": payload}))
        assert await hear(one) == {"type": "connection_ack"}
        yield one


async def say(one: ClientConnection, **message: object) -> None:
    await one.send(json.dumps(message))


async def subscribe(one: ClientConnection, name: str, word: str) -> None:
    await say(one, id=name, type="subscribe", payload={"query": word})


async def hear(one: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await asyncio.wait_for(one.recv(), 60))
    return message


async def ending(one: ClientConnection) -> tuple[int, str]:
    """Wait until the server closes, whatever it says before; return its code and its reason."""
    try:
        while True:
            await asyncio.wait_for(one.recv(), 60)
    except ConnectionClosed:
        return one.close_code or 0, one.close_reason or ""


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what happens in the server."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    assert condition()
