"""
The outermost ring: how many requests at once, how large, and for how long.

What HTTP itself does not allow (two lengths, a length that is no number, a length beside chunks)
never comes here: the server's parser refuses it.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.begun import Begun
from app.server import refusal

_MOST_BODY_BYTES = 1 << 20
_MOST_URL_BYTES = 16 << 10
# When a request is cut off here, the resolvers' own deadline has failed; it comes a little earlier.
_GRACE = timedelta(seconds=1)
# A body may take half of the request's time, as the other half is for its answer. Half of the usual
# ten seconds asks for 200 kB/s of the largest body there may be, and 400 B/s of a usual one.
_SHARE_OF_BODY = 0.5
# To close a connection over bytes that nobody has read resets it, and the answer is lost with it.
# So what still comes is read and thrown away for a moment, until a client that writes all before it
# reads has noticed; one that never does is left.
_DRAINED_BYTES = 4 * _MOST_BODY_BYTES
_DRAINED_FOR = timedelta(seconds=2)
_CLOSING = (b"connection", b"close")
# Answers of these types may last longer than a request has time for. Who gives them bounds their
# number, and does not wait for a client that takes nothing.
_LASTING = (b"text/event-stream", b"text/csv", b"application/x-ndjson")
# Files of a page may take long to send over a slow line, and cost nothing but that.
_UNLIMITED = ("/livez", "/readyz", "/metrics", "/graphql/assets/")
_UNLIMITED_URLS = tuple(path.encode() for path in _UNLIMITED)
ONE_MORE, _headers = refusal.written(
    HTTPStatus.SERVICE_UNAVAILABLE, "Too many requests at once; try again."
)
ONE_MORE_HEADERS = (*_headers, (b"retry-after", b"1"))


class Limits:
    """Refuses what is too much before anything of it is read; probes and files pass always.

    A stream of events or an export that has begun may last, and is not counted as in flight any
    more.
    """

    def __init__(self, app: ASGIApp, *, max_in_flight: int, request_timeout: timedelta) -> None:
        self._app = app
        self.max_in_flight = max_in_flight
        self._patience = _Patience(
            (request_timeout + _GRACE).total_seconds(),
            request_timeout.total_seconds() * _SHARE_OF_BODY,
        )
        self._in_flight: set[_Exchange] = set()

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def is_full(self) -> bool:
        return len(self._in_flight) >= self.max_in_flight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED):
            await self._app(scope, receive, send)
            return
        length = _told_length(scope)
        if len(scope["raw_path"]) + len(scope["query_string"]) > _MOST_URL_BYTES:
            message = "The URL is longer than 16 kB; send the request by POST."
            await _refuse(send, HTTPStatus.REQUEST_URI_TOO_LONG, message)
        elif length is not None and length > _MOST_BODY_BYTES:
            await _refuse_large(receive, send)
        elif self.is_full:
            await _refuse_one_more(send)
        else:
            exchange = _Exchange(receive, send, length, self._in_flight, self._patience)
            self._in_flight.add(exchange)
            try:
                await self._within(scope, exchange)
            finally:
                self._in_flight.discard(exchange)

    async def _within(self, scope: Scope, exchange: "_Exchange") -> None:
        try:
            # What is mirrored is answered without a wait, and is done before a timer is set.
            answering = Begun(self._app(scope, exchange.receive, exchange.send))
            if not answering.is_done:
                async with asyncio.timeout_at(exchange.ends_at) as exchange.timeout:
                    await answering.rest()
        except _TooLarge:
            pass  # told below, as an application may have caught it
        except TimeoutError:
            if exchange.started:
                cut_off(scope)  # a client that does not read; the answer can have no other end
                return
            await exchange.refuse_late()
        if exchange.too_large and not exchange.started:
            await exchange.refuse_large()


class Overload:
    """Refuses by its head alone who comes while as many as may are under way.

    A connection asks it, as `scope["state"]["overload"]`, before it gives a request to the
    application: what a refusal costs is taken from those who are answered. `refused` is told the
    URL and the method of each.
    """

    def __init__(self, limits: Limits, refused: Callable[[str, str], None]) -> None:
        self._limits = limits
        self._coming = 0
        self.refused = refused

    def takes(self, url: bytes) -> bool:
        """Say whether a request for this is to be refused."""
        count = self._limits.in_flight + self._coming
        return count >= self._limits.max_in_flight and not url.startswith(_UNLIMITED_URLS)

    def let_in(self) -> None:
        """Count a request that was not refused until it is under way, in the next turn of the loop.

        What is read in one turn may be many times what is to be under way.
        """
        if not self._coming:
            asyncio.get_running_loop().call_soon(self._all_came)
        self._coming += 1

    def _all_came(self) -> None:
        self._coming = 0


async def _refuse_one_more(send: Send) -> None:
    await send(refusal.start(HTTPStatus.SERVICE_UNAVAILABLE, list(ONE_MORE_HEADERS)))
    await send({"type": "http.response.body", "body": ONE_MORE})


class _Patience(NamedTuple):
    """For how many seconds a whole exchange may last, and its body from the first wait for it."""

    whole: float
    body: float


class _Exchange:
    """One request and its answer; its body is counted and timed on its way in.

    `length` is the body's, None where it was not told. It `ends_at` a time of the event loop, or
    never; whoever waits for it moves the `timeout` along.
    """

    timeout: asyncio.Timeout | None = None

    def __init__(
        self,
        receive: Receive,
        send: Send,
        length: int | None,
        in_flight: set["_Exchange"],
        patience: _Patience,
    ) -> None:
        self._receive = receive
        self._send = send
        self._in_flight = in_flight
        self._body_patience = patience.body
        self._until: float | None = asyncio.get_running_loop().time() + patience.whole
        self.ends_at: float | None = self._until
        self._whole = length == 0
        self._reading = False
        self._size = 0
        self.started = False
        self.too_large = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        coming = Begun(self._receive())
        if not coming.is_done and not self._reading:
            self._reading = True
            self._wait_until(asyncio.get_running_loop().time() + self._body_patience)
        message = await coming.rest()
        self._size += len(message.get("body", b""))
        if self._size > _MOST_BODY_BYTES:
            self.too_large = True
            raise _TooLarge
        if not message.get("more_body", False):
            self._whole = True
            if self._reading:
                self._wait_until(self._until)
        return message

    async def send(self, message: Message) -> None:
        if self.too_large and not self.started:
            return  # the application's own answer to what was cut off is not the one to give
        if message["type"] == "http.response.start":
            self.started = True
            if _is_of(_LASTING, message.get("headers", ())):
                self._in_flight.discard(self)
                # What still comes of its body is nobody's, and is not waited for.
                self._whole = True
                self._until = None
                self._wait_until(None)
        await self._send(message)

    async def refuse_large(self) -> None:
        await _refuse_large(self._receive, self._send)

    async def refuse_late(self) -> None:
        """Answer in place of the application, whose time is over."""
        if self._reading and not self._whole:
            message = "The body did not arrive in time."
            await _refuse(self._send, HTTPStatus.REQUEST_TIMEOUT, message, _CLOSING)
        else:
            message = "The request could not be answered in time."
            await _refuse(self._send, HTTPStatus.GATEWAY_TIMEOUT, message)

    def _wait_until(self, when: float | None) -> None:
        self.ends_at = when
        if self.timeout is not None and not self.timeout.expired():
            self.timeout.reschedule(when)


def cut_off(scope: Scope) -> None:
    """End the connection of a client that does not read; its answer can have no other end."""
    connection = scope.get("state", {}).get("connection")
    if connection is not None:
        connection.abort()


class _TooLarge(Exception):
    """More of a body came than is taken."""


def _told_length(scope: Scope) -> int | None:
    """Return the length of a body as it was told: 0 where there is none, None where it is not."""
    length = 0
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = int(value)
    return length


def is_event_stream(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether an answer may last for ever."""
    return _is_of((b"text/event-stream",), headers)


def _is_of(types: tuple[bytes, ...], headers: Iterable[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        if name == b"content-type":
            return value.startswith(types)
    return False


async def _refuse_large(receive: Receive, send: Send) -> None:
    body, headers = refusal.written(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is larger than 1 MB."
    )
    await send(refusal.start(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, [*headers, _CLOSING]))
    # The client has the whole answer with this, and the connection is still open.
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _drain(receive)
    await send({"type": "http.response.body"})


async def _drain(receive: Receive) -> None:
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(_DRAINED_FOR.total_seconds()):
            while size < _DRAINED_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def _refuse(send: Send, status: HTTPStatus, message: str, *more: tuple[bytes, bytes]) -> None:
    body, headers = refusal.written(status, message)
    await send(refusal.start(status, [*headers, *more]))
    await send({"type": "http.response.body", "body": body})
