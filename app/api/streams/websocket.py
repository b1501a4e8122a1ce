"""
GraphQL over a WebSocket: many operations at once, of one caller, for as long as it is one.

Our own on the messages of `protocol`: Strawberry's is bound to its views and executes by itself, so
that neither what guards a document nor what shapes an error would be passed through.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.api.entrance import Entrance
from app.api.errors import internal
from app.api.execution import Outcome, Response
from app.api.requests import Refused, Request, parsed
from app.api.streams import protocol
from app.api.streams.caller import lost
from app.api.streams.origins import is_welcome
from app.api.streams.outlet import Gone, Outlet
from app.api.streams.protocol import Closed, Complete, Init, Message, Ping, Subscribe
from app.metrics.metrics import WEBSOCKET
from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.model.viewer import Known, Viewer
from app.observing.observation import note_error, note_event
from app.observing.observer import operated

# A page has a handful; what one connection may hold of the process is bounded all the same.
_MOST_OPERATIONS = 32
# What an operation frees when it ends is freed at once; nobody waits for one that is stuck.
_ENDED_WITHIN_SECONDS = 1
_CLOSE_WITHIN_SECONDS = 1


class WebSocketEndpoint:
    """Serves `/graphql` over WebSockets. `origins` are those of other hosts' pages that may ask."""

    def __init__(
        self, entrance: Callable[[HTTPConnection], Entrance], origins: Collection[str]
    ) -> None:
        self._entrance = entrance
        self._origins = origins

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one connection until either side ends it."""
        with suppress(WebSocketDisconnect):
            await self._serve(websocket)

    async def _serve(self, websocket: WebSocket) -> None:
        entrance = self._entrance(websocket)
        if not is_welcome(websocket.headers, self._origins):
            await websocket.send_denial_response(_FOREIGN)
        elif not entrance.streams.has_room_for(None):
            await websocket.send_denial_response(_NO_ROOM)
        elif protocol.SUBPROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            wanted = f"Ask for the subprotocol {protocol.SUBPROTOCOL}"
            await websocket.close(protocol.SUBPROTOCOL_NOT_ACCEPTABLE, wanted)
        else:
            await websocket.accept(protocol.SUBPROTOCOL)
            await _Conversation(websocket, entrance).hold()


class _Conversation:
    """One connection, from its `connection_init` on."""

    _viewer: Viewer
    _group: asyncio.TaskGroup

    def __init__(self, websocket: WebSocket, entrance: Entrance) -> None:
        self._websocket = websocket
        self._entrance = entrance
        self._streams = entrance.streams
        self._outlet = Outlet(websocket.scope, websocket.send, entrance.streams)
        self._operations: dict[str, asyncio.Task[None]] = {}
        # With those that were completed and are not over yet.
        self._running = 0

    async def hold(self) -> None:
        """Answer what is asked, until there is nobody to answer or a reason to close."""
        closed: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as self._group:
                with self._streams.one(None, WEBSOCKET):
                    sent, known = await self._caller()
                await self._serve(sent, known)
        except* Gone:
            pass
        except* Closed as reasons:
            closed = reasons.exceptions[0]
        except* Exception as errors:  # noqa: BLE001 - whatever broke, the client is told
            internal(errors)
            closed = Closed(protocol.INTERNAL_ERROR, "Internal error")
        if isinstance(closed, Closed):
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(_CLOSE_WITHIN_SECONDS):
                    await self._websocket.close(closed.code, closed.reason)

    async def _read(self) -> Message:
        # A message that is there already is taken without waiting; others have their turn too.
        await asyncio.sleep(0)
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise Gone
        return protocol.read(received.get("text"))

    async def _write(self, text: str) -> None:
        await self._outlet.write({"type": "websocket.send", "text": text})

    async def _caller(self) -> tuple[Sequence[str], Known]:
        """Return who calls, and by which headers."""
        try:
            async with asyncio.timeout(self._streams.pace.to_begin.total_seconds()):
                init = await self._initialisation()
        except TimeoutError:
            reason = "Connection initialisation timeout"
            raise Closed(protocol.INITIALISATION_TIMEOUT, reason) from None
        handshake = self._websocket.headers.getlist("authorization")
        sent = protocol.authorization(init.payload, handshake)
        try:
            return sent, await self._streams.ask(sent)
        except (Unauthenticated, UpstreamUnavailable) as error:
            raise _refused(error) from None

    async def _serve(self, sent: Sequence[str], known: Known) -> None:
        if not self._streams.has_room_for(known.viewer):
            raise Closed(protocol.TRY_AGAIN_LATER, "Too many streams are open")
        with self._streams.one(known.viewer, WEBSOCKET):
            self._viewer = known.viewer
            self._group.create_task(self._end_with(sent, known))
            await self._write(protocol.ack())
            while True:
                await self._answer(await self._read())

    async def _end_with(self, authorization: Sequence[str], known: Known) -> None:
        raise _refused(await lost(self._streams, authorization, known))

    async def _initialisation(self) -> Init:
        while True:
            match await self._read():
                case Init() as init:
                    return init
                case Ping(payload):
                    await self._write(protocol.pong(payload))
                case Subscribe():
                    raise Closed(protocol.UNAUTHORIZED, "Unauthorized")

    async def _answer(self, message: Message) -> None:
        match message:
            case Init():
                reason = "Too many initialisation requests"
                raise Closed(protocol.TOO_MANY_INITIALISATIONS, reason)
            case Ping(payload):
                await self._write(protocol.pong(payload))
            case Subscribe():
                await self._subscribe(message)
            case Complete(operation):
                await self._complete(operation)

    async def _subscribe(self, message: Subscribe) -> None:
        if message.id in self._operations:
            reason = f"Subscriber for {message.id} already exists"
            raise Closed(protocol.SUBSCRIBER_EXISTS, reason)
        try:
            request = parsed(message.payload)
        except Refused as refused:
            raise Closed(protocol.BAD_REQUEST, str(refused)) from None
        if self._running >= _MOST_OPERATIONS:
            told = f"{_MOST_OPERATIONS} operations at once are the most of a connection."
            await self._write(protocol.error(message.id, [_error(told, "RATE_LIMITED")]))
            return
        operation = message.id
        operate = partial(self._operate, operation, request)
        task = self._group.create_task(operated(operate))
        self._operations[operation] = task
        self._running += 1
        # It is called at the end, and must not keep the message until then.
        task.add_done_callback(lambda task: self._ended(operation, task))

    def _ended(self, operation: str, task: asyncio.Task[None]) -> None:
        self._running -= 1
        if self._operations.get(operation) is task:
            del self._operations[operation]

    async def _complete(self, operation: str) -> None:
        task = self._operations.pop(operation, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=_ENDED_WITHIN_SECONDS)

    async def _operate(self, operation: str, request: Request) -> None:
        allowance = await self._entrance.take(self._viewer)
        if not allowance.allowed:
            note_error("RATE_LIMITED")
            told = f"Too many operations; wait for {ceil(allowance.retry_after_seconds)} seconds."
            await self._end(operation, [_error(told, "RATE_LIMITED")])
            return
        if self._streams.working.locked():
            note_error("RATE_LIMITED")
            told = "Too many requests at once; try again."
            await self._end(operation, [_error(told, "RATE_LIMITED")])
            return
        context = self._entrance.make_context(self._websocket, self._viewer)
        async with self._streams.working:
            answers = await self._entrance.executor.answers(request, context)
        del request  # a subscription lasts, and needs no more of it
        each = _alone(answers) if isinstance(answers, Response) else answers
        async with aclosing(each):
            async for answer in each:
                if answer.outcome is not Outcome.EXECUTED:
                    await self._end(operation, answer.body["errors"])
                    return
                await self._write(protocol.next_answer(operation, answer.body))
                self._streams.metrics.stream_events.add(WEBSOCKET)
                note_event()
        await self._end(operation)

    async def _end(self, operation: str, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        """Say that an operation is over; another one may have its name from then on."""
        self._operations.pop(operation, None)
        over = protocol.error(operation, errors) if errors else protocol.complete(operation)
        await self._write(over)


async def _alone(answer: Response) -> AsyncGenerator[Response, None]:
    yield answer


def _refused(error: Unauthenticated | UpstreamUnavailable) -> Closed:
    turned_away = isinstance(error, Unauthenticated)
    return Closed(protocol.FORBIDDEN if turned_away else protocol.TRY_AGAIN_LATER, str(error))


def _error(message: str, code: str) -> dict[str, Any]:
    return {"message": message, "extensions": {"code": code}}


def _denial(status: HTTPStatus, message: str, code: str) -> JSONResponse:
    body = {"errors": [_error(message, code)]}
    return JSONResponse(body, status, {"Cache-Control": "no-store"})


_FOREIGN = _denial(
    HTTPStatus.FORBIDDEN,
    "Pages of this origin may not ask; name it in server.cors_origins.",
    "FORBIDDEN",
)
_NO_ROOM = _denial(
    HTTPStatus.SERVICE_UNAVAILABLE, "Too many streams are open; try again.", "RATE_LIMITED"
)
