"""
GraphQL over server-sent events: each operation has a response of its own, which lasts as long.

Follows the "distinct connections mode" of the graphql-sse protocol. A stream that ends without
`complete` was cut off and may be asked for again: that is how a server that stops ends them.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.types import Receive, Scope, Send

from app.api.execution import Response
from app.api.streams.caller import lost
from app.api.streams.outlet import Gone, Outlet
from app.api.streams.streams import Streams
from app.metrics.metrics import SSE
from app.model.viewer import Viewer
from app.observing.observation import note_event

# `no-transform`: an intermediary that compresses would collect events until there are many.
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "Vary": "Accept, Authorization",
}
# With a field of data, as browsers pass over an event that has none.
_COMPLETE = b"event: complete\ndata:\n\n"
# A comment; no empty line after it, which some readers take for the end of an event.
_SIGN_OF_LIFE = b":\n"


def event_stream(
    streams: Streams,
    viewer: Viewer,
    http: HttpRequest,
    answers: Response | AsyncGenerator[Response, None],
    headers: Mapping[str, str],
) -> HttpResponse:
    """Return the response that tells one answer, or each answer as it comes."""
    headers = {**_HEADERS, **headers}
    if isinstance(answers, Response):
        return HttpResponse(_next(answers.body) + _COMPLETE, headers=headers)
    return _EventStream(streams, viewer, http, answers, headers)


# Neither a token's end nor a stop is put off by who has not read what came before.
_ENDED_WITHIN = timedelta(seconds=1)
NO_ROOM = HttpResponse(
    orjson.dumps(
        {
            "errors": [
                {
                    "message": "Too many streams are open; try again.",
                    "extensions": {"code": "RATE_LIMITED"},
                }
            ]
        }
    ),
    HTTPStatus.SERVICE_UNAVAILABLE,
    {
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-store",
        "Retry-After": "5",
        "Vary": "Accept, Authorization",
    },
)


class _Over(Exception):
    """The stream is over; `last` is what remains to be said."""

    def __init__(self, last: bytes) -> None:
        super().__init__()
        self.last = last


class _EventStream(HttpResponse):
    def __init__(
        self,
        streams: Streams,
        viewer: Viewer,
        http: HttpRequest,
        answers: AsyncGenerator[Response, None],
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(headers=headers)
        del self.headers["Content-Length"]
        self._streams = streams
        self._viewer = viewer
        self._authorization = http.headers.getlist("authorization")
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._answers):
            if scope["method"] == "HEAD":
                await HttpResponse(headers=self.headers)(scope, receive, send)
            elif not self._streams.has_room_for(self._viewer):
                await NO_ROOM(scope, receive, send)
            else:
                with self._streams.one(self._viewer, SSE):
                    await self._tell(scope, receive, send)

    async def _tell(self, scope: Scope, receive: Receive, send: Send) -> None:
        outlet = Outlet(scope, send, self._streams)
        last = None
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            await outlet.write(start)
            async with asyncio.TaskGroup() as group:
                group.create_task(_client_leaves(receive))
                group.create_task(_server_stops(outlet))
                group.create_task(self._caller_is_lost())
                group.create_task(self._stay_alive(outlet))
                await self._tell_each(outlet)
        except* Gone:
            pass
        except* _Over as over:
            last = over.exceptions[0]
        if isinstance(last, _Over):
            with suppress(Gone):
                end = {"type": "http.response.body", "body": last.last}
                await outlet.write(end, _ENDED_WITHIN)

    async def _tell_each(self, outlet: Outlet) -> None:
        async for answer in self._answers:
            await _write(outlet, _next(answer.body))
            self._streams.metrics.stream_events.add(SSE)
            note_event()
        raise _Over(_COMPLETE)

    async def _caller_is_lost(self) -> None:
        error = await lost(self._streams, self._authorization)
        told = {"message": str(error), "extensions": {"code": error.code}}
        raise _Over(_next({"errors": [told]}) + _COMPLETE)

    async def _stay_alive(self, outlet: Outlet) -> None:
        silence = self._streams.pace.of_silence.total_seconds()
        while True:
            left = outlet.wrote_at + silence - asyncio.get_running_loop().time()
            if left > 0:
                await asyncio.sleep(left)
            else:
                await _write(outlet, _SIGN_OF_LIFE)


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise Gone


async def _server_stops(outlet: Outlet) -> None:
    await outlet.stopping()
    raise _Over(b"")


async def _write(outlet: Outlet, body: bytes) -> None:
    await outlet.write({"type": "http.response.body", "body": body, "more_body": True})


def _next(body: Mapping[str, Any]) -> bytes:
    return b"event: next\ndata: %b\n\n" % orjson.dumps(body)
