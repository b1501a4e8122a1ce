"""
Gives answers that are kept under what is asked, in this process or in Redis, before it is routed.

`Hits` knows requests by their bytes; here a request is read. It lies right behind, outside of all
other rings: what has come whole and waits for Redis alone reaches no limit, and nearly all that is
found leaves as it is. It is counted and logged as what `Hits` gives. All else goes the whole way,
as if it had not been looked at; so does everything while as many requests as may be are under way,
as what is not found would be refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.answering import key_of
from app.api.http import KEPT, MISSED, requested_age, vary_of
from app.api.negotiation import EVENTS_TYPE, accepted
from app.api.requests import Refused, Request, in_body, in_query
from app.begun import Begun
from app.metrics.metrics import Metrics
from app.model.viewer import Viewer
from app.observing.correlation import REQUEST_ID, correlation
from app.observing.observation import clipped
from app.observing.requests import RequestLog, hit_of
from app.redis.rates import Allowance, raw_header_fields
from app.responses.cache import Found
from app.server.compression import Compression
from app.server.hits import PATH, Desk, may_be_kept
from app.server.limits import cut_off
from app.server.observing import TIMING_OF_HIT, TOLD
from app.server.validators import Validators

_NEEDED = frozenset(
    {b"authorization", b"accept", b"accept-encoding", b"content-type", b"cache-control"}
)
# For the rings further in: a condition, a body that is waited for or comes in parts.
_NOT_HERE = frozenset({b"if-none-match", b"if-match", b"expect", b"transfer-encoding"})
_SAID_NOTHING = dict.fromkeys(_NEEDED, "")
# Longer ones are refused, further in.
_MOST_QUERY_BYTES = 8 << 10
# Longer than nearly any request. Many clients send a head and a body apart, one right after the
# other; who is slower goes the whole way, on which that is limited.
_MOST_BODY_BYTES = 64 << 10
_BODY_SECONDS = 0.1
# Where in a scope the answer to it lies: its header fields and its body.
_FOUND = "credit_gateway.found"


class Tells:
    """Counts and logs what was found and given; with `timing` its caller is told, too."""

    def __init__(self, metrics: Metrics, log: RequestLog, *, timing: bool) -> None:
        self._metrics = metrics
        self._log = log
        self.fields = [TIMING_OF_HIT] if timing else []

    def tell(self, scope: Scope, told: bytes, request_id: str, seconds: float) -> None:
        """Note one answer; `told` is what the log says of it each time that it is given."""
        scope[TOLD] = told
        self._log.tell_hit(told, request_id, seconds)
        self._metrics.requests.add("graphql", scope["method"], "200")
        self._metrics.lookups.add("responses", "hit")
        self._metrics.request_seconds.observe("graphql", amount=seconds)


class _Sent:
    """Passes an answer on, and counts its bytes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.size_bytes = 0

    async def send(self, message: Message) -> None:
        self.size_bytes += len(message.get("body", b""))
        await self._send(message)


class Finds:
    """Answers what is kept; all else is the application's.

    `takes` says whether a request may be answered here. Who does not take an answer within
    `patience` seconds is cut off. `heard` puts a ring around all that is given, None where there is
    none.
    """

    def __init__(
        self,
        app: ASGIApp,
        desk: Callable[[], Desk | None],
        takes: Callable[[Scope], bool],
        tells: Tells,
        *,
        patience: float,
        heard: Callable[[ASGIApp], ASGIApp] | None = None,
    ) -> None:
        self._app = app
        self._desk = desk
        self._takes = takes
        self._tells = tells
        self._patience = patience
        rings = Compression(Validators(_give))
        self._rings = heard(rings) if heard else rings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        desk = self._desk() if may_be_kept(scope) and self._takes(scope) else None
        said = _said(scope) if desk else None
        viewer = desk.viewer(said[b"authorization"]) if desk and said else None
        if desk is None or said is None or viewer is None:
            await self._app(scope, receive, send)
            return
        came: list[Message] = []
        body = await _body(receive, came)
        request = _request(scope, said, body) if body is not None else None
        key = key_of(desk.responses, viewer, request) if request else None
        found = await desk.responses.find(key) if key else None
        allowance = await _allowance(desk, viewer) if found else None
        if found is None or allowance is None or not allowance.allowed:
            if key and found is None:
                scope[MISSED] = True
            await self._app(scope, _again(came, receive), send)
            return
        if KEPT in scope:
            scope[KEPT].append(found.kept)
        request_id = correlation(scope["headers"]).id
        fields = [*_fields(said, found, allowance, request_id), *self._tells.fields]
        sent = _Sent(send)
        scope[_FOUND] = fields, found.kept.body
        await self._given(self._rings(scope, receive, sent.send), scope)
        name = request.operation_name if request else None
        told = _told(scope["method"], viewer.subject, name, sent.size_bytes)
        self._tells.tell(scope, told, request_id, perf_counter() - began)

    async def _given(self, giving: Awaitable[None], scope: Scope) -> None:
        """Wait for a client that does not read, and not for ever."""
        begun = Begun(giving)
        if begun.is_done:
            return
        try:
            async with asyncio.timeout(self._patience):
                await begun.rest()
        except TimeoutError:
            cut_off(scope)


@lru_cache(maxsize=1000)
def _told(method: str, subject: str, operation: str | None, size_bytes: int) -> bytes:
    said = {"method": method, "path": PATH, "status": HTTPStatus.OK.value, "bytes": size_bytes}
    named = {"operation": clipped(operation)} if operation else {}
    return hit_of({**said, "viewer": clipped(subject), **named, "type": "query"})


async def _give(scope: Scope, _receive: Receive, send: Send) -> None:
    fields, body = scope[_FOUND]
    headers = [*fields, (b"vary", vary_of(scope, body))]
    status = HTTPStatus.OK.value
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive, came: list[Message]) -> bytes | None:
    """Return the whole body; None where it is long or late, or nobody waits any more.

    What was read of it is in `came`.
    """
    reading = Begun(_read(receive, came))
    if not reading.is_done:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                await reading.rest()
        except TimeoutError:
            return None
    last = came[-1]
    is_whole = last["type"] == "http.request" and not last.get("more_body", False)
    return b"".join(each.get("body", b"") for each in came) if is_whole else None


async def _read(receive: Receive, came: list[Message]) -> None:
    size = 0
    while size <= _MOST_BODY_BYTES:
        came.append(await receive())
        size += len(came[-1].get("body", b""))
        if not came[-1].get("more_body", False):
            return


def _again(came: list[Message], receive: Receive) -> Receive:
    """Return a receiver of what came, and of the rest."""

    async def receiving() -> Message:
        return came.pop(0) if came else await receive()

    return receiving


async def _allowance(desk: Desk, viewer: Viewer) -> Allowance:
    return desk.take_at_once(viewer) or await desk.take(viewer)


def _fields(
    said: dict[bytes, str], found: Found, allowance: Allowance, request_id: str
) -> list[tuple[bytes, bytes]]:
    media_type = accepted(said[b"accept"]).encode()
    return [
        (b"content-length", b"%d" % len(found.kept.body)),
        (b"content-type", media_type + b"; charset=utf-8"),
        (b"cache-control", b"private, max-age=%d" % found.left.total_seconds()),
        (b"x-cache", b"HIT"),
        *raw_header_fields(allowance),
        (REQUEST_ID, request_id.encode()),
    ]


def _said(scope: Scope) -> dict[bytes, str] | None:
    """Return what a request says that matters here; None where it goes the whole way."""
    if len(scope["query_string"]) > _MOST_QUERY_BYTES:
        return None
    said: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _NOT_HERE:
            return None
        if name in _NEEDED:
            if name in said:
                return None
            said[name] = value.decode("latin-1")
    caching = said.get(b"cache-control")
    if caching is not None and requested_age(caching) is not None:
        return None
    return _SAID_NOTHING | said


def _request(scope: Scope, said: dict[bytes, str], body: bytes) -> Request | None:
    """Return what is asked; None for what is refused, or answered otherwise."""
    try:
        if accepted(said[b"accept"]) == EVENTS_TYPE:
            return None
        if scope["method"] == "POST":
            return in_body(said[b"content-type"], body)
        return in_query(scope["query_string"])
    except Refused:
        return None
