"""The way into a provider: every request is noted, delayed and, when wished, faulted."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.faults import Exchange, Fault, give_faulted
from app.sandbox.upstream import Upstream

_LOG_LENGTH = 1000
_SECRETS = frozenset({"refresh_token", "password"})


class Traffic:
    """What was asked of all providers, and the faults that wait for them."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self.faults: dict[str, Fault] = {}

    def note(self, provider: str, path: str, query: str, body: bytes) -> Fault | None:
        """Count and log a request; return the fault it meets."""
        self.calls[f"{provider} {path}"] += 1
        asked = dict(parse_qsl(query, keep_blank_values=True))
        line = {"provider": provider, "path": path, "query": asked, "body": _loggable(body)}
        self.log.append(line)
        fault = self.faults.get(provider)
        return fault if fault is not None and fault.meets(path) else None


class Gate:
    """An ASGI application around a provider's own."""

    def __init__(self, upstream: Upstream, traffic: Traffic, closing: Callable[[], bool]) -> None:
        self.upstream = upstream
        self.traffic = traffic
        self.closing = closing
        self.app: ASGIApp = upstream.app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        around = self.upstream.around
        with around.lock:
            query = scope["query_string"].decode("latin-1")
            fault = self.traffic.note(self.upstream.name, path, query, body)
            latency = around.settings.latency.total_seconds()
        if latency:
            await asyncio.sleep(latency)
        exchange = Exchange(self.upstream, self.app, scope, body, receive, send, self.closing)
        if fault is None:
            await exchange.give(await exchange.answer())
        else:
            await give_faulted(exchange, fault)


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    message: Message = {"more_body": True}
    while message.get("more_body", False):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


def _loggable(body: bytes) -> Any:  # noqa: ANN401 - whatever JSON was sent
    value = None
    with suppress(ValueError):
        value = json.loads(body)
    if not isinstance(value, dict):
        return value
    return {name: "***" if name in _SECRETS else each for name, each in value.items()}
