"""Whether this process wants to be asked: what load balancers are told, and clients that stay."""

import time
from datetime import timedelta
from enum import Enum
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNKEPT = {"Cache-Control": "no-store"}


class Phase(Enum):
    """Where a process is between its start and its end."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


class Readiness:
    """The phase of one process. It is ready once it is warm, and never again once it drains."""

    def __init__(self) -> None:
        self.phase = Phase.STARTING
        self._closed_at: float | None = None

    @property
    def is_draining(self) -> bool:
        return self.phase is Phase.DRAINING

    def warmed(self) -> None:
        """Be ready from now on, unless it is told to stop already."""
        if not self.is_draining:
            self.phase = Phase.READY

    def drain(self) -> None:
        """Not be ready any more, for good."""
        self.phase = Phase.DRAINING

    def close(self) -> None:
        """Note that nobody can come any more."""
        self.drain()
        self._closed_at = time.monotonic()

    def rest(self, whole: timedelta) -> timedelta:
        """Return what is left of the time in which to end what was begun; none if not closed."""
        if self._closed_at is None:
            return timedelta(0)
        gone_by = timedelta(seconds=time.monotonic() - self._closed_at)
        return max(whole - gone_by, timedelta(0))

    async def ready(self, _: Request) -> PlainTextResponse:
        """Answer `/readyz`: 200, or 503 with the reason in one word."""
        is_ready = self.phase is Phase.READY
        status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
        return PlainTextResponse("ok\n" if is_ready else f"{self.phase.value}\n", status, _UNKEPT)


async def alive(_: Request) -> PlainTextResponse:
    """Answer `/livez`, which looks at nothing but that this process answers."""
    return PlainTextResponse("ok\n", headers=_UNKEPT)


class Farewell:
    """Lets clients go while the process drains: each answer is the last of its connection.

    They come again by a new connection, which their load balancer makes to another process.
    """

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self._app = app
        self._readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and self._readiness.is_draining:
                headers = list(message.get("headers", ()))
                MutableHeaders(raw=headers)["connection"] = "close"
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, sending)
