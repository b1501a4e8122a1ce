"""
Gives answers again to requests that are the same to the byte, before anything else is done.

What is kept of an answer, and whether it is true still, is the response cache's to say; here lie
only the requests that led to it, and its bytes as they were sent, compressed or not. Who calls is
asked each time, and counted: neither is remembered here.

A connection asks first, before there is anything of an application: a request that has come whole,
from a caller who is known, about what needs not be asked again, is answered by a single write. The
same as a ring, outermost, is for what waits for Redis to count its caller. All else goes the whole
way, as if it had not been looked at.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http import KEPT
from app.begun import Begun
from app.metrics.metrics import Metrics
from app.model.viewer import Viewer
from app.observing.correlation import REQUEST_ID
from app.observing.requests import RequestLog
from app.redis.rates import Allowance, raw_header_fields
from app.responses.budget import Budget
from app.responses.cache import ResponseCache
from app.responses.kept import Kept
from app.server.given import Answers, Asked, Given, lines
from app.server.limits import cut_off
from app.server.observing import SERVER_TIMING, TIMING_OF_HIT, TOLD
from app.server.said import METHODS, SAID, Said, read

PATH = "/graphql"
_RAW_PATH = PATH.encode()
# These are of the moment, and are written anew.
_MOMENTARY = frozenset(
    {
        *(b"cache-control", b"x-cache", b"ratelimit", b"ratelimit-policy"),
        *(REQUEST_ID, SERVER_TIMING),
    }
)


@dataclass(frozen=True)
class Desk:
    """Whom this is asked: who a caller is, None where that is not known at once, and may it ask."""

    responses: ResponseCache
    viewer: Callable[[str], Viewer | None]
    take_at_once: Callable[[Viewer], Allowance | None]
    take: Callable[[Viewer], Awaitable[Allowance]]


class Hits:
    """Answers what was answered before; all else is the application's.

    `desk` gives None where nothing is to be answered here. Who does not take an answer within
    `patience` seconds is cut off.
    """

    def __init__(
        self,
        app: ASGIApp,
        desk: Callable[[], Desk | None],
        metrics: Metrics,
        log: RequestLog,
        *,
        budget: Budget,
        patience: float,
    ) -> None:
        self._app = app
        self._desk = desk
        self._metrics = metrics
        self._log = log
        self._patience = patience
        self._answers = Answers(budget)

    def may_hold(self, url: bytes) -> bool:
        """Say whether answers to a URL are of a kind that is kept, and may be given now."""
        path, _, _ = url.partition(b"?")
        return path == _RAW_PATH and self._desk() is not None

    def at_once(self, said: Said) -> list[bytes] | None:
        """Return the header fields and the body of an answer, as they are sent; it is counted then.

        None is what is not there. An empty list is what the ring may give, once Redis has counted
        the caller.
        """
        began = perf_counter()
        desk = self._desk()
        viewer = desk.viewer(said.authorization) if desk else None
        given = self._answers.get(_asked(viewer, said)) if viewer else None
        left = desk.responses.left(given.kept) if desk and given else None
        if desk is None or viewer is None or given is None or left is None:
            return None
        allowance = desk.take_at_once(viewer)
        if allowance is None or not allowance.allowed:
            return []
        name = said.request_id
        of_the_moment = lines(_of_the_moment(left, allowance, name))
        self._count(said.method, given, name, began)
        return [given.head, of_the_moment, b"\r\n", given.body]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        desk = self._desk() if may_be_kept(scope) else None
        if desk is None:
            await self._app(scope, receive, send)
            return
        said: Said | None = scope.get(SAID)
        if said is None:
            first = Begun(receive())
            said = _said(scope, first.result) if first.is_done else None
            receive = _again(first, receive)
        viewer = desk.viewer(said.authorization) if said else None
        if said is None or viewer is None:
            await self._app(scope, receive, send)
            return
        asked = _asked(viewer, said)
        given = self._answers.get(asked)
        name = said.request_id if given else ""
        headers = await _headers(desk, viewer, given, name) if given else None
        if given is None or headers is None:
            await self._anew(asked, scope, receive, send)
            return
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        for message in (start, {"type": "http.response.body", "body": given.body}):
            sending = Begun(send(message))
            if not sending.is_done:
                await self._slowly(sending, scope)
        self._count(said.method, given, name, began)

    def _count(self, method: str, given: Given, name: str, began: float) -> None:
        seconds = perf_counter() - began
        self._answers.used(given)
        self._metrics.requests.add("graphql", method, "200")
        self._metrics.lookups.add("responses", "hit")
        self._metrics.request_seconds.observe("graphql", amount=seconds)
        self._log.tell_hit(given.told, name, seconds)

    async def _slowly(self, sending: Begun[None], scope: Scope) -> None:
        """Wait for a client that does not read, and not for ever."""
        try:
            async with asyncio.timeout(self._patience):
                await sending.rest()
        except TimeoutError:
            cut_off(scope)

    async def _anew(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        watching = _Watching(send)
        scope[KEPT] = watching.kept
        await self._app(scope, receive, watching.send)
        if watching.kept and watching.body is not None and not watching.kept[-1].is_gone:
            told = scope.get(TOLD, b"")
            given = Given(watching.kept[-1], watching.headers, watching.body, told)
            self._answers.put(asked, given)
        else:
            self._answers.discard(asked)  # what was given before is not true any more


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
            if any(name == SERVER_TIMING for name, _ in message["headers"]):
                self.headers.append(TIMING_OF_HIT)
        elif message["type"] == "http.response.body" and self._is_good:
            # What comes in several parts is not the answer to a query.
            self._is_good = False
            self.body = None if message.get("more_body", False) else message.get("body", b"")
        await self._send(message)


def may_be_kept(scope: Scope) -> bool:
    """Say whether the answer to a request is of a kind that is kept."""
    return scope["type"] == "http" and scope["path"] == PATH and scope["method"] in METHODS


def _said(scope: Scope, message: Message) -> Said | None:
    """Return what a request says whose body has come; None where it has not, or nobody waits."""
    if message["type"] != "http.request" or message.get("more_body", False):
        return None
    body: bytes = message.get("body", b"")
    return read(scope["method"], scope["query_string"], scope["headers"], body)


def _asked(viewer: Viewer, said: Said) -> Asked:
    return Asked(viewer, said.method, said.query, said.fields, said.body)


async def _headers(
    desk: Desk, viewer: Viewer, given: Given, name: str
) -> list[tuple[bytes, bytes]] | None:
    """Return the header fields of an answer that may be given now; None where it may not.

    It waits for no longer than Redis is waited for, where the caller is counted there.
    """
    left = desk.responses.left(given.kept)
    if left is None:
        return None
    allowance = desk.take_at_once(viewer)
    if allowance is None:
        allowance = await desk.take(viewer)
        left = desk.responses.left(given.kept)
    if left is None or not allowance.allowed:
        return None
    return [*given.headers, *_of_the_moment(left, allowance, name)]


def _of_the_moment(left: timedelta, allowance: Allowance, name: str) -> list[tuple[bytes, bytes]]:
    return [
        (b"cache-control", b"private, max-age=%d" % left.total_seconds()),
        (b"x-cache", b"HIT"),
        (REQUEST_ID, name.encode()),
        *raw_header_fields(allowance),
    ]


def _again(first: Begun[Message], receive: Receive) -> Receive:
    """Return a receiver whose first message is the one that was begun."""
    waiting = [first]

    async def receiving() -> Message:
        return await waiting.pop().rest() if waiting else await receive()

    return receiving
