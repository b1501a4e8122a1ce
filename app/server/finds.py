"""
Gives answers that are kept under what is asked, in this process or in Redis, before it is routed.

`Hits` knows requests by their bytes; here a request is read. What is found is compressed on its way
out, and tagged, as any answer is.
"""

from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.answering import key_of
from app.api.http import KEPT, MISSED, VARY, requested_age
from app.api.negotiation import EVENTS_TYPE, accepted
from app.api.requests import Refused, Request, in_body, in_query
from app.metrics.metrics import Metrics
from app.observing.observation import note_operation
from app.redis.rates import raw_header_fields
from app.server.hits import Desk, may_be_kept

_NEEDED = frozenset({b"authorization", b"accept", b"content-type", b"cache-control"})


class Finds:
    """Answers what is kept; all else is the application's."""

    def __init__(self, app: ASGIApp, desk: Callable[[], Desk | None], metrics: Metrics) -> None:
        self._app = app
        self._desk = desk
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        desk = self._desk() if may_be_kept(scope) else None
        said = _said(scope) if desk else None
        viewer = desk.viewer(said[b"authorization"]) if desk and said else None
        if desk is None or said is None or viewer is None:
            await self._app(scope, receive, send)
            return
        came = _Came(receive)
        request = _request(scope, said, await came.body())
        key = key_of(desk.responses, viewer, request) if request else None
        found = await desk.responses.find(key) if key else None
        allowance = await desk.take(viewer) if found else None
        if found is None or allowance is None or not allowance.allowed:
            if key and found is None:
                scope[MISSED] = True
            await self._app(scope, came.receive, send)
            return
        kept, left = found
        note_operation("query", request.operation_name if request else None, None)
        self._metrics.lookups.add("responses", "hit")
        if KEPT in scope:
            scope[KEPT].append(kept)
        media_type = accepted(said[b"accept"]).encode()
        headers = [
            (b"content-length", b"%d" % len(kept.body)),
            (b"content-type", media_type + b"; charset=utf-8"),
            (b"cache-control", b"private, max-age=%d" % left.total_seconds()),
            (b"vary", VARY.encode()),
            (b"x-cache", b"HIT"),
            *raw_header_fields(allowance),
        ]
        status = HTTPStatus.OK.value
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": kept.body})


class _Came:
    """What came of a request, for whoever reads it again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: list[Message] = []
        self._body = bytearray()

    async def body(self) -> bytes | None:
        """Return the whole body; None where the client went away before its end."""
        while True:
            message = await self._receive()
            self._messages.append(message)
            if message["type"] != "http.request":
                return None
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                return bytes(self._body)

    async def receive(self) -> Message:
        return self._messages.pop(0) if self._messages else await self._receive()


def _said(scope: Scope) -> dict[bytes, str] | None:
    """Return what a request says that matters here; None where it cannot have been kept."""
    said: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _NEEDED:
            if name in said:
                return None
            said[name] = value.decode("latin-1")
    if requested_age(said.get(b"cache-control", "")) is not None:
        return None
    return {**dict.fromkeys(_NEEDED, ""), **said}


def _request(scope: Scope, said: dict[bytes, str], body: bytes | None) -> Request | None:
    """Return what is asked; None for what is refused, or answered otherwise."""
    try:
        if body is None or accepted(said[b"accept"]) == EVENTS_TYPE:
            return None
        if scope["method"] == "POST":
            return in_body(said[b"content-type"], body)
        return in_query(scope["query_string"])
    except Refused:
        return None
