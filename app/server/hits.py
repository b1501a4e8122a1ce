"""
Gives answers again to requests that are the same to the byte, before anything of them is read.

What is kept of an answer, and whether it is true still, is the response cache's to say; here lie
only the requests that led to it, and its bytes as they were sent, compressed or not. Who calls is
asked each time, and counted: nothing of that is remembered here.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http import KEPT, requested_age
from app.model.viewer import Viewer
from app.redis.rates import Allowance, header_fields
from app.responses.cache import ResponseCache
from app.responses.kept import Kept

_PATH = "/graphql"
# What else a request says does not change its answer. A condition is for the rings further in.
_SAYING = (b"host", b"accept", b"accept-encoding", b"content-type")
_CONDITIONS = (b"if-none-match", b"if-match")
# These are of the moment, and are written anew.
_MOMENTARY = (b"cache-control", b"x-cache", b"ratelimit", b"ratelimit-policy")
# A request takes about as much again as its answer where that is small.
_OVERHEAD = 1000


@dataclass(frozen=True)
class Desk:
    """What is known at once: who a caller is, and whether it may ask now; None if it is not."""

    responses: ResponseCache
    viewer: Callable[[str], Viewer | None]
    take: Callable[[Viewer], Allowance | None]


class _Asked(NamedTuple):
    """A request to the byte, but for how its caller is known; `said` is as `_SAYING` lists it."""

    viewer: Viewer
    method: str
    query: bytes
    said: tuple[bytes, ...]
    body: bytes


class _Given(NamedTuple):
    """An answer as it was sent."""

    kept: Kept
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Hits:
    """Answers what was answered before; all else is the application's.

    `desk` gives None where no answer is kept, and as long as nothing was opened.
    """

    def __init__(self, app: ASGIApp, desk: Callable[[], Desk | None], most_bytes: int) -> None:
        self._app = app
        self._desk = desk
        self._most_bytes = most_bytes
        self._given: OrderedDict[_Asked, _Given] = OrderedDict()
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        desk = self._desk()
        said = _said(scope) if desk else None
        viewer = desk.viewer(said.authorization) if desk and said else None
        if desk is None or said is None or viewer is None:
            await self._app(scope, receive, send)
            return
        message = await receive()
        if message["type"] != "http.request" or message.get("more_body", False):
            await self._app(scope, _once(message, receive), send)
            return
        body = message.get("body", b"")
        asked = _Asked(viewer, scope["method"], scope["query_string"], said.fields, body)
        given = self._given.get(asked)
        if given and desk.responses.is_true(given.kept):
            allowance = desk.take(viewer)
            if allowance and allowance.allowed:
                self._given.move_to_end(asked)
                await _give(given, desk.responses.left(given.kept), allowance, send)
                return
        watching = _Watching(send)
        scope[KEPT] = watching.kept
        await self._app(scope, _once(message, receive), watching.send)
        if watching.kept and watching.body is not None:
            self._remember(asked, _Given(watching.kept[-1], watching.headers, watching.body))

    def _remember(self, asked: _Asked, given: _Given) -> None:
        self._forget(asked)
        weight = _weight(asked, given)
        if weight > self._most_bytes:
            return
        self._given[asked] = given
        self._bytes += weight
        while self._bytes > self._most_bytes:
            self._forget(next(iter(self._given)))

    def _forget(self, asked: _Asked) -> None:
        given = self._given.pop(asked, None)
        if given:
            self._bytes -= _weight(asked, given)


class _Watching:
    """Passes an answer on, and keeps it where it is whole, as it should be, and is `kept`."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.kept: list[Kept] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: bytes | None = None
        self._is_good = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_good = message["status"] == HTTPStatus.OK
            self.headers = [one for one in message["headers"] if one[0] not in _MOMENTARY]
        elif message["type"] == "http.response.body" and self._is_good:
            # What comes in several parts is not the answer to a query.
            self._is_good = False
            self.body = None if message.get("more_body", False) else message.get("body", b"")
        await self._send(message)


async def _give(given: _Given, left: timedelta, allowance: Allowance, send: Send) -> None:
    headers = [
        *given.headers,
        (b"cache-control", b"private, max-age=%d" % (left // timedelta(seconds=1))),
        (b"x-cache", b"HIT"),
    ]
    for name, value in header_fields(allowance).items():
        headers.append((name.lower().encode(), value.encode()))
    await send({"type": "http.response.start", "status": HTTPStatus.OK.value, "headers": headers})
    await send({"type": "http.response.body", "body": given.body})


class _Said(NamedTuple):
    """What a request says that its answer depends on."""

    authorization: str
    fields: tuple[bytes, ...]


def _said(scope: Scope) -> _Said | None:
    """Return what a request says; None for one that is not for here."""
    if scope["type"] != "http" or scope["path"] != _PATH or scope["method"] not in {"GET", "POST"}:
        return None
    said: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _SAYING or name == b"authorization":
            if name in said:
                return None
            said[name] = value
        elif name in _CONDITIONS or (
            name == b"cache-control" and requested_age(value.decode("latin-1")) is not None
        ):
            return None
    fields = tuple([said.get(name, b"") for name in _SAYING])
    return _Said(said.get(b"authorization", b"").decode("latin-1"), fields)


def _once(message: Message, receive: Receive) -> Receive:
    """Return a receiver that gives this message again before what follows."""
    waiting = [message]

    async def receiving() -> Message:
        return waiting.pop() if waiting else await receive()

    return receiving


def _weight(asked: _Asked, given: _Given) -> int:
    return (
        len(asked.body) + len(asked.query) + sum(map(len, asked.said)) + len(given.body) + _OVERHEAD
    )
