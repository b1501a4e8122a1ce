"""
An export as an answer over HTTP, which lasts as long as its client goes on taking it.

It ends as an answer ends only where all of it was written. What goes wrong before that cuts the
connection off, so that nobody takes the part for the whole.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from http import HTTPStatus

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.api.errors import internal
from app.api.refusals import error, refusal
from app.api.streams.outlet import Connection, Gone, Outlet
from app.api.streams.streams import Pace, Streams
from app.metrics.metrics import EXPORT
from app.model.viewer import Viewer

_log = structlog.get_logger("exports")
# Each holds some 0.2 MB, and the histories that it began with for as long as it lasts.
MOST = 8
MOST_OF_ONE = 2
# A slice has some 40 kB, and a slow line takes it in ten seconds; less would take hours in all.
PACE = Pace(to_take=timedelta(seconds=30))


class Room:
    """Where exports are: so many at once, of which one at a time has a turn to be written.

    Once the server is told to stop, `patience` is what they still have.
    """

    def __init__(self, streams: Streams, patience: timedelta) -> None:
        self.streams = streams
        self.patience = patience
        self.turn = asyncio.Lock()

    def refuses(self, viewer: Viewer) -> Response | None:
        """Return what a viewer is answered for whom there is no room; None where there is."""
        if self.streams.has_room_for(viewer):
            return None
        message = "Too many exports are under way; try again."
        refused = error(message, "RATE_LIMITED")
        return refusal(HTTPStatus.SERVICE_UNAVAILABLE, [refused], {"Retry-After": "5"})


class Streamed(Response):
    """The answer of these parts, where there still is room when it begins."""

    def __init__(
        self, parts: Iterator[bytes], headers: Mapping[str, str], room: Room, viewer: Viewer
    ) -> None:
        super().__init__(headers=headers)
        del self.headers["Content-Length"]
        self._parts = parts
        self._room = room
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if refused := self._room.refuses(self._viewer):
            await refused(scope, receive, send)
            return
        streams = self._room.streams
        with streams.one(self._viewer, EXPORT):
            outlet = Outlet(scope, send, streams)
            ways_to_end = (self._tell(outlet), _client_leaves(receive), self._stops(outlet))
            ends = [asyncio.create_task(one) for one in ways_to_end]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in ends:
                    one.cancel()
                told, *_ = await asyncio.gather(*ends, return_exceptions=True)
        if told is not None:
            await _cut_off(scope, told)

    async def _tell(self, outlet: Outlet) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await outlet.write(start)
        async for part in self._each():
            await outlet.write({"type": "http.response.body", "body": part, "more_body": True})
        await outlet.write({"type": "http.response.body"})

    async def _each(self) -> AsyncIterator[bytes]:
        """Yield the parts; however many exports there are, one has a turn of the event loop."""
        while True:
            async with self._room.turn:
                await asyncio.sleep(0)
                part = next(self._parts, None)
            if part is None:
                return
            if part:  # of a slice nothing may be wanted
                yield part

    async def _stops(self, outlet: Outlet) -> None:
        await outlet.stopping()
        await asyncio.sleep(self._room.patience.total_seconds())
        _log.warning("export cut off by a stop")


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut_off(scope: Scope, why: BaseException) -> None:
    """End the connection, as nothing else tells whoever reads that this was not all."""
    if not isinstance(why, (Gone, asyncio.CancelledError)):
        internal(why)
    state = scope.get("state", {})
    connection: Connection | None = state.get("connection")
    if connection is None:
        raise ConnectionAbortedError("The export is not whole.") from why
    connection.abort()
    # The server would end the answer of a connection that it does not know to be lost.
    await asyncio.wait({state["left"]})
