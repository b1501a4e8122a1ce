"""The outermost ring: how many requests at once, how large, and for how long."""

import asyncio
from datetime import timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BODY_BYTES = 1 << 20
_MOST_URL_BYTES = 16 << 10
# When a request is cut off here, the resolvers' own deadline has failed; it comes a little earlier.
_GRACE = timedelta(seconds=1)


class Limits:
    """Refuses what is too much before anything of it is read; probes pass always."""

    def __init__(self, app: ASGIApp, *, max_in_flight: int, request_timeout: timedelta) -> None:
        self._app = app
        self._max_in_flight = max_in_flight
        self._timeout = (request_timeout + _GRACE).total_seconds()
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in {"/livez", "/readyz"}:
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if len(scope["raw_path"]) + len(scope["query_string"]) > _MOST_URL_BYTES:
            await _refuse(send, 414, "The URL is too long; send the request by POST.")
        elif int(headers.get(b"content-length", b"0")) > _MOST_BODY_BYTES:
            await _refuse(send, 413, "The request is larger than 1 MB.")
        elif self._in_flight >= self._max_in_flight:
            await _refuse(
                send, 503, "Too many requests at once; try again.", (b"retry-after", b"1")
            )
        else:
            await self._within(scope, receive, send)

    async def _within(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False
        size = 0

        async def sending(message: Message) -> None:
            nonlocal started
            # The application's own answer to the body that was cut off is not the one to give.
            if size <= _MOST_BODY_BYTES:
                started = True
                await send(message)

        async def receiving() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > _MOST_BODY_BYTES:
                raise _TooLarge
            return message

        self._in_flight += 1
        try:
            async with asyncio.timeout(self._timeout):
                await self._app(scope, receiving, sending)
        except _TooLarge:
            if not started:
                await _refuse(send, 413, "The request is larger than 1 MB.")
        except TimeoutError:
            if started:
                raise
            await _refuse(send, 504, "The request could not be answered in time.")
        finally:
            self._in_flight -= 1


class _TooLarge(Exception):
    pass


async def _refuse(send: Send, status: int, message: str, *headers: tuple[bytes, bytes]) -> None:
    code = {503: "RATE_LIMITED", 504: "DEADLINE_EXCEEDED"}.get(status, "BAD_USER_INPUT")
    body = f'{{"errors":[{{"message":"{message}","extensions":{{"code":"{code}"}}}}]}}'.encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
