"""Sees each request from its begin to its end: for the log, for a trace, and for who sent it."""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.http import KEPT
from app.observing.correlation import REQUEST_ID, correlation
from app.observing.observation import Observation
from app.observing.observer import Observer, end
from app.observing.requests import Sent, hit_of, request_fields
from app.server.counting import PROBES, group_of, method_of, route_of

# In a scope, where an answer may be given again: what the log says of it each time.
TOLD = "credit_gateway.told"
SERVER_TIMING = b"server-timing"
# Of an answer that was given before: how long it took to find is nothing to be made shorter.
TIMING_OF_HIT = (SERVER_TIMING, b"cache;desc=HIT")


class Observing:
    """Names each request, and tells what it came to. With `timing`, callers are told, too.

    It belongs outside of everything that can refuse a request or fail to answer it.
    """

    def __init__(self, app: ASGIApp, observer: Observer, *, timing: bool) -> None:
        self._app = app
        self._observer = observer
        self._timing = timing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        route, group = route_of(scope["path"]), group_of(scope["path"])
        method = method_of(scope.get("method", "GET"))
        is_probe = group in PROBES
        name = f"{method} {route}"
        begun = self._observer.begin(correlation(scope["headers"]), name, is_traced=not is_probe)
        sent = _Sent(begun.seen, send, timing=self._timing)
        try:
            await self._app(scope, receive, sent.send)
        except Exception:
            # The server answers in the application's place where that has not begun to.
            sent.status = sent.status or HTTPStatus.INTERNAL_SERVER_ERROR.value
            raise
        finally:
            self._tell(scope, begun.seen, method, route, sent, is_probe=is_probe)
            if begun.span is not None:
                end(begun, _attributes(method, route, sent))

    def _tell(
        self,
        scope: Scope,
        seen: Observation,
        method: str,
        route: str,
        sent: "_Sent",
        *,
        is_probe: bool,
    ) -> None:
        log = self._observer.log
        if scope["type"] == "websocket":
            log.tell("connection", request_fields(seen, method, route, sent))
            return
        if log.tells_hits and scope.get(KEPT):
            scope[TOLD] = hit_of(request_fields(seen, method, route, sent))
        is_well = is_probe and sent.status == HTTPStatus.OK
        log.tell_request(seen, method, route, sent, is_probe=is_well)


class _Sent(Sent):
    """What is sent of an answer, on its way out; its head is given the id of its request."""

    def __init__(self, seen: Observation, send: Send, *, timing: bool) -> None:
        super().__init__()
        self._seen = seen
        self._send = send
        self._timing = timing

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start", "websocket.accept"}:
            self.status = int(message.get("status", HTTPStatus.SWITCHING_PROTOCOLS))
            headers = list(message.get("headers", ()))
            message = {**message, "headers": [*headers, *self._fields(headers)]}
        elif kind == "websocket.close":
            self.status = self.status or HTTPStatus.FORBIDDEN.value
        elif kind == "websocket.send":
            self.size_bytes += len(message.get("text") or message.get("bytes") or b"")
        else:
            self.size_bytes += len(message.get("body", b""))
        await self._send(message)

    def _fields(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        for name, value in headers:
            if name == b"x-cache":
                self.cache = value.decode("ascii")
        fields = [(REQUEST_ID, self._seen.request_id.encode())]
        # Whom nobody knows is told nothing that a guess could be measured by.
        if self._timing and self._seen.subject is not None:
            fields.append((SERVER_TIMING, timing_of(self._seen, self.cache)))
        return fields


def timing_of(seen: Observation, cache: str) -> bytes:
    """Return what took how long so far, in milliseconds, as `Server-Timing` has it."""
    told = b"total;dur=%.1f" % (seen.seconds * 1000)
    for name, seconds in seen.spent.items():
        if seconds and name != "upstream":
            told += b", %b;dur=%.1f" % (name.encode(), seconds * 1000)
    if upstream := seen.upstream_seconds():
        told += b", upstream;dur=%.1f" % (upstream * 1000)
    return told if cache == "-" else told + b", cache;desc=" + cache.encode()


def _attributes(method: str, route: str, sent: _Sent) -> dict[str, str | int]:
    told: dict[str, str | int] = {"http.request.method": method, "http.route": route}
    if sent.status is not None:
        told["http.response.status_code"] = sent.status
    if sent.cache != "-":
        told["credit_gateway.cache"] = sent.cache
    return told
