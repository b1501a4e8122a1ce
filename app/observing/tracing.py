"""
Traces on their way to a collector: which are recorded, and how they are written.

OTLP over HTTP, in JSON: https://opentelemetry.io/docs/specs/otlp/. How they are sent is not known
here. What a collector does not take is lost, as nobody waits for it.
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version
from random import random
from secrets import token_hex
from typing import Any

import orjson
import structlog

from app.observing.correlation import Parent, made_id
from app.observing.spans import Attributes, Kind, Span, Trace

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")

_log = structlog.get_logger("traces")

Post = Callable[[bytes], Awaitable[bool]]
"""Sends a body to a collector, and says whether it was taken; raises nothing."""

# So many take some 3 ms to write, while which nobody is served.
_MOST_AT_ONCE = 512
# About 10 MB of what waits for a collector.
_MOST_WAITING = 10_000
_EVERY_SECONDS = 2.0
_LOGGED_EVERY_SECONDS = 60.0


class Tracing:
    """Records a `share` of the requests whose callers do not say whether to; all while `post` is.

    Until then, and afterwards, none is.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._post: Post | None = None
        self._waiting: deque[Span] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._logged_at = float("-inf")
        self._resource = _written(
            {
                "service.name": "credit-gateway",
                "service.version": version("credit-gateway"),
                "service.instance.id": token_hex(8),
            }
        )
        self.taken = 0
        self.lost = 0

    def open(self, post: Post) -> None:
        """Record from now on."""
        self._post = post
        self._sending = asyncio.create_task(self._send_for_ever(post))

    async def close(self) -> None:
        """Record no more, and send what waits unless the collector does not take it."""
        post, self._post = self._post, None
        if post is None or self._sending is None:
            return
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)
        while self._waiting and await self._send(post):
            pass
        self.lost += len(self._waiting)

    def root(self, request_id: str, name: str, parent: Parent | None) -> Span | None:
        """Return the first span of a request here; None where it is not recorded."""
        if self._post is None:
            return None
        if parent is None:
            is_wanted = self._share >= 1 or random() < self._share  # noqa: S311 - nobody gains by it
            if not is_wanted:
                return None
            trace_id = request_id if _TRACE_ID.fullmatch(request_id) else made_id()
            return Span(Trace(trace_id, "", self._take), name, Kind.SERVER, {}, "")
        if not parent.is_sampled:
            return None
        trace = Trace(parent.trace_id, parent.state, self._take)
        return Span(trace, name, Kind.SERVER, {}, parent.span_id)

    def _take(self, span: Span) -> None:
        if self._post is None or len(self._waiting) >= _MOST_WAITING:
            self.lost += 1
            return
        self._waiting.append(span)

    async def _send_for_ever(self, post: Post) -> None:
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            while self._waiting:
                await self._send(post)

    async def _send(self, post: Post) -> bool:
        """Send as many as at once; say whether they were taken."""
        count = min(len(self._waiting), _MOST_AT_ONCE)
        spans = [self._waiting.popleft() for _ in range(count)]
        if await post(body_of(self._resource, spans)):
            self.taken += count
            return True
        self.lost += count
        now = asyncio.get_running_loop().time()
        if now - self._logged_at >= _LOGGED_EVERY_SECONDS:
            self._logged_at = now
            _log.warning("traces were not taken", spans=count)
        return False


def body_of(resource: list[dict[str, Any]], spans: Iterable[Span]) -> bytes:
    """Write spans as a collector reads them."""
    scope = {"scope": {"name": "credit_gateway"}, "spans": [_span(one) for one in spans]}
    return orjson.dumps(
        {"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [scope]}]}
    )


def _span(one: Span) -> dict[str, Any]:
    told = {
        "traceId": one.trace.id,
        "spanId": one.id,
        "parentSpanId": one.parent_id,
        "name": one.name,
        "kind": int(one.kind),
        "startTimeUnixNano": str(one.began_ns),
        "endTimeUnixNano": str(one.ended_ns),
        "attributes": _written(one.attributes),
    }
    if one.trace.state:
        told["traceState"] = one.trace.state
    if one.error:
        told["status"] = {"code": 2, "message": one.error}
    return told


def _written(attributes: Attributes) -> list[dict[str, Any]]:
    return [
        {"key": key, "value": {"intValue": str(value)}}
        if isinstance(value, int)
        else {"key": key, "value": {"stringValue": value}}
        for key, value in attributes.items()
    ]
