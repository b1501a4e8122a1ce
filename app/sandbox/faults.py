"""Faults: what a provider answers instead, or what becomes of its answer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.history import ControlError
from app.sandbox.people import HOSTUP
from app.sandbox.upstream import Upstream

_PAGE = (
    "<!doctype html><html><head><title>App</title></head><body><div id=root></div></body></html>"
)
_GARBAGE = b'\x00\xff\xfe{"data": [1, 2'
_LISTENING_SECONDS = 0.05
_DATABASE_ERROR = 50001


@dataclass
class Fault:
    """A fault as control set it; `seen` counts the requests it could have met."""

    kind: str
    path: str | None = None
    times: int | None = None
    after: int = 0
    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    ms: int = 0
    value: str = "text/plain"
    code: int = _DATABASE_ERROR
    seen: int = 0

    def meets(self, path: str) -> bool:
        """Count a request; tell whether it meets the fault."""
        if self.path is not None and self.path != path:
            return False
        self.seen += 1
        return self.after < self.seen <= self.after + (self.times or self.seen)


@dataclass
class Exchange:
    """One request to a provider, its body already read."""

    upstream: Upstream
    app: ASGIApp
    scope: Scope
    body: bytes
    receive: Receive
    send: Send
    closing: Callable[[], bool]

    async def answer(self) -> Response:
        """Return what the provider answers."""
        status, headers, parts = 500, list[tuple[bytes, bytes]](), list[bytes]()

        async def keep(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers.extend(message.get("headers", ()))
            else:
                parts.append(message.get("body", b""))

        await self.app(self.scope, self._replay, keep)
        response = Response(b"".join(parts), status)
        response.raw_headers = headers
        return response

    async def give(self, response: Response) -> None:
        """Send an answer."""
        await response(self.scope, self.receive, self.send)

    async def listen(self) -> None:
        """Return when the client has gone or the server stops."""
        gone = asyncio.ensure_future(self.receive())
        while not gone.done() and not self.closing():
            await asyncio.wait((gone,), timeout=_LISTENING_SECONDS)
        gone.cancel()

    async def cut(self) -> None:
        """Close the connection without another byte."""
        # The server's protocol object is the only way to it: ASGI itself has no such message.
        transport = getattr(getattr(self.receive, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError
        transport.abort()
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _replay(self) -> Message:
        return {"type": "http.request", "body": self.body, "more_body": False}


async def _status(exchange: Exchange, fault: Fault) -> None:
    if fault.body is None:
        response = exchange.upstream.failure(fault.status, fault.headers)
    elif isinstance(fault.body, str):
        response = Response(fault.body, fault.status, fault.headers)
    else:
        response = JSONResponse(fault.body, fault.status, fault.headers)
    await exchange.give(response)


async def _hang(exchange: Exchange, _fault: Fault) -> None:
    await exchange.listen()
    await exchange.cut()


async def _latency(exchange: Exchange, fault: Fault) -> None:
    await asyncio.sleep(fault.ms / 1000)
    await exchange.give(await exchange.answer())


async def _html(exchange: Exchange, _fault: Fault) -> None:
    await exchange.give(HTMLResponse(_PAGE))


async def _truncate(exchange: Exchange, _fault: Fault) -> None:
    answer = await exchange.answer()
    half = bytes(answer.body)[: len(answer.body) // 2]
    await exchange.give(Response(half, answer.status_code, media_type="application/json"))


async def _garbage(exchange: Exchange, _fault: Fault) -> None:
    await exchange.give(Response(_GARBAGE, media_type="application/json"))


async def _content_type(exchange: Exchange, fault: Fault) -> None:
    answer = await exchange.answer()
    answer.headers["content-type"] = fault.value
    await exchange.give(answer)


async def _envelope_error(exchange: Exchange, fault: Fault) -> None:
    await exchange.give(exchange.upstream.refusal(fault.code))


async def _inner_failure(exchange: Exchange, _fault: Fault) -> None:
    answer = await exchange.answer()
    body = json.loads(bytes(answer.body))
    body.setdefault("data", {})["success"] = False
    await exchange.give(JSONResponse(body, answer.status_code))


async def _replace(exchange: Exchange, fault: Fault) -> None:
    await exchange.give(JSONResponse(fault.body))


async def _reset(exchange: Exchange, _fault: Fault) -> None:
    await exchange.cut()


_KINDS: Mapping[str, Callable[[Exchange, Fault], Awaitable[None]]] = {
    "status": _status,
    "hang": _hang,
    "latency": _latency,
    "html": _html,
    "truncate": _truncate,
    "garbage": _garbage,
    "content_type": _content_type,
    "envelope_error": _envelope_error,
    "inner_failure": _inner_failure,
    "replace": _replace,
    "reset": _reset,
}
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "kind": str,
    "path": (str, type(None)),
    "times": (int, type(None)),
    "after": int,
    "status": int,
    "headers": dict,
    "body": object,
    "ms": (int, float),
    "value": str,
    "code": int,
}


def fault_of(provider: str, wish: Mapping[str, Any]) -> Fault:
    """Read a fault as control is told it."""
    for name, value in wish.items():
        if name not in _TYPES or not isinstance(value, _TYPES[name]):
            raise ControlError(f"a fault has no such {name}: {value!r}")
    if wish.get("kind") not in _KINDS:
        raise ControlError(f"the kind of a fault is one of {', '.join(_KINDS)}")
    if wish.get("times") is not None and wish["times"] < 1:
        raise ControlError("times is at least 1")
    if wish["kind"] == "inner_failure" and provider != HOSTUP:
        raise ControlError(f"{provider} has no success inside of its answers")
    return Fault(**wish)


async def give_faulted(exchange: Exchange, fault: Fault) -> None:
    """Answer a request that met a fault."""
    await _KINDS[fault.kind](exchange, fault)
