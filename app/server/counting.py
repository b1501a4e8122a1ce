"""Counting requests, outermost, so that what is refused is counted too."""

import re
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics.metrics import Metrics
from app.observing.requests import RequestLog
from app.server.limits import is_event_stream

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_PATHS = {
    "/graphql": "graphql",
    "/dashboard": "dashboard",
    "/livez": "livez",
    "/readyz": "readyz",
    "/metrics": "metrics",
}
PROBES = frozenset({"livez", "readyz", "metrics"})
_BEGINNINGS = (
    ("/graphql/assets/", "assets"),
    ("/dashboard/", "dashboard"),
    ("/customers/", "export"),
)
_EXPORT = re.compile(r"/customers/.+/(credit-changes|payments)\.(csv|ndjson)")
_OTHER = "other"
# In place of a status: the client went away before there was one.
_LEFT = "left"
_BROKE = "500"
_REFUSED = 503
_UPGRADED = "101"
# What a WebSocket is told that is closed before it was accepted.
_CLOSED = "403"


class Counting:
    """Counts each request by where it went and how it ended, and measures it.

    A WebSocket is counted once, by how its handshake is answered.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    def refused(self, url: str, method: str) -> None:
        """Count and log a request that was refused as there were too many; it took no time."""
        path = url.partition("?")[0]
        self._metrics.requests.add(group_of(path), method_of(method), f"{_REFUSED}")
        self._metrics.request_seconds.observe(group_of(path), amount=0.0)
        self._log.tell_refusal(method_of(method), route_of(path), _REFUSED)

    def unread(self, status: int) -> None:
        """Count and log what was refused before it was known to be any request."""
        self._metrics.requests.add(_OTHER, _OTHER, f"{status:d}")
        self._log.tell_refusal(_OTHER, _OTHER, status)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._count_handshake(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status, is_stream = perf_counter(), _LEFT, False

        async def sending(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = f"{message['status']:d}"
                is_stream = is_event_stream(message.get("headers", ()))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            # The server answers in the application's place where that has not begun to.
            status = _BROKE if status is _LEFT else status
            raise
        finally:
            path = group_of(scope["path"])
            self._metrics.requests.add(path, method_of(scope["method"]), status)
            if not is_stream:
                self._metrics.request_seconds.observe(path, amount=perf_counter() - began)

    async def _count_handshake(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_counted = False

        def count(status: str) -> None:
            nonlocal is_counted
            if not is_counted:
                is_counted = True
                self._metrics.requests.add(group_of(scope["path"]), "GET", status)

        async def sending(message: Message) -> None:
            match message["type"]:
                case "websocket.accept":
                    count(_UPGRADED)
                case "websocket.http.response.start":
                    count(f"{message['status']:d}")
                case "websocket.close":
                    count(_CLOSED)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception:
            count(_BROKE)
            raise
        finally:
            count(_LEFT)


def method_of(method: str) -> str:
    """Return a method, or that it is another one."""
    return method if method in _METHODS else _OTHER


def group_of(path: str) -> str:
    """Return which part of the gateway a path belongs to, one of a few words."""
    found = _PATHS.get(path)
    if found is None:
        found = next((group for begin, group in _BEGINNINGS if path.startswith(begin)), _OTHER)
    return found


def route_of(path: str) -> str:
    """Return what a path is one of: nobody's reference, and nothing that anybody made up."""
    if path in _PATHS:
        return path
    if found := _EXPORT.fullmatch(path):
        return f"/customers/{{reference}}/{found[1]}.{found[2]}"
    begin = next((begin for begin, _ in _BEGINNINGS if path.startswith(begin)), "")
    return f"{begin}…" if begin else _OTHER
