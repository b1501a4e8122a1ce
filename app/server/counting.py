"""Counting requests, outermost, so that what is refused is counted too."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics.metrics import Metrics
from app.server.limits import is_event_stream

_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST"})
_PATHS = {
    "/graphql": "graphql",
    "/dashboard": "dashboard",
    "/livez": "livez",
    "/readyz": "readyz",
    "/metrics": "metrics",
}
_BEGINNINGS = (
    ("/graphql/assets/", "assets"),
    ("/dashboard/", "dashboard"),
    ("/customers/", "export"),
)
# In place of a status: the client went away before there was one.
_LEFT = "left"
_BROKE = "500"
_REFUSED = "503"


class Counting:
    """Counts each request by where it went and how it ended, and measures it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    def refused(self, url: str, method: str) -> None:
        """Count a request that was refused as there were too many; it took no time."""
        path = group_of(url.partition("?")[0])
        self._metrics.requests.add(path, _method(method), _REFUSED)
        self._metrics.request_seconds.observe(path, amount=0.0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            self._metrics.requests.add(path, _method(scope["method"]), status)
            if not is_stream:
                self._metrics.request_seconds.observe(path, amount=perf_counter() - began)


def _method(method: str) -> str:
    return method if method in _METHODS else "other"


def group_of(path: str) -> str:
    """Return which part of the gateway a path belongs to, one of a few words."""
    found = _PATHS.get(path)
    if found is None:
        found = next((group for begin, group in _BEGINNINGS if path.startswith(begin)), "other")
    return found
