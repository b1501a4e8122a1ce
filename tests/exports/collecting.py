"""
A gateway as a process of its own that prints its address: `python collecting.py FILE [collect]`.

With `collect` it sends nothing before it has all of an answer, as an export must not: a control.
"""

import socket
import sys
from datetime import timedelta
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import settings
from app.main import create_app
from app.server import connections


class Collecting:
    """Sends what an application answers once it is there as a whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect if scope["type"] == "http" else send)
        for message in messages:
            await send(message)


def main(file: str, *how: str) -> None:
    configured = settings.load(Path(file), {})
    app = create_app(configured)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            Collecting(app) if "collect" in how else app,
            access_log=False,
            lifespan="on",
            **connections.serving(timedelta(seconds=10)),
        )
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
