"""
A gateway as a process of its own, as `credit-gateway serve` serves it, whose clock can be moved.

    python clocked_gateway.py CONFIG

`POST /control?ahead=61` moves its clock on by so many seconds; it answers, as `GET /control` does,
what only the process itself can tell.
"""

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app import settings
from app.cli import logs
from app.main import create_app
from app.server import connections, garbage


class Clock:
    """The real time, moved on by what control says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Controlled:
    """An ASGI application around the gateway's own."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/control":
            await self._app(scope, receive, send)
            return
        ahead = QueryParams(scope["query_string"]).get("ahead", "0")
        self._clock.ahead += timedelta(seconds=float(ahead))
        told = {"tasks": len(asyncio.all_tasks()), "now": self._clock().isoformat()}
        await JSONResponse(told)(scope, receive, send)


def main() -> None:
    logs.configure()
    clock, configured = Clock(), settings.load(Path(sys.argv[1]), os.environ)
    app = Controlled(create_app(configured, clock), clock)
    garbage.settle()
    listener = socket.create_server(("127.0.0.1", 0))
    as_the_command = connections.serving(configured.server.request_timeout)
    config = uvicorn.Config(app, access_log=False, lifespan="on", **as_the_command)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
