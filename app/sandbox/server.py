"""Serving the sandbox: until a signal comes, or beside the caller in a thread."""

import socket
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Self

import uvicorn

from app.sandbox.app import create_app
from app.sandbox.sandbox import Sandbox

_WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 - only to name a reachable address
_GRACE_SECONDS = 1
_PATIENCE_SECONDS = 10.0


class _Server(uvicorn.Server):
    """A server that tells when it accepts requests, and lets go of held ones to stop."""

    def __init__(self, sandbox: Sandbox, started: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                create_app(sandbox),
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._sandbox = sandbox
        self._started_callback = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.open()
        await super().startup(sockets=sockets)
        self._started_callback()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._sandbox.close()
        await super().shutdown(sockets=sockets)


class SandboxServer:
    """A sandbox served by a thread, on a free port of the loopback unless one is named.

    A context manager; `url` is the origin, without a path.
    """

    def __init__(self, sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> None:
        self.sandbox = sandbox
        self._listener = _listener(host, port)
        self.url = _url(self._listener, host)
        self._started = Event()
        self._server = _Server(sandbox, self._started.set)
        self._thread = Thread(target=self._server.run, args=([self._listener],), daemon=True)

    def start(self) -> None:
        """Return when requests are accepted."""
        self._thread.start()
        if not self._started.wait(_PATIENCE_SECONDS):
            raise TimeoutError("the sandbox did not start")

    def stop(self) -> None:
        """Return when the port is free again."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def run(
    host: str,
    port: int,
    sandbox: Sandbox,
    started: Callable[[str], object] = lambda _url: None,
) -> None:
    """Serve until a signal comes; `started` is told the origin, with the port 0 became."""
    listener = _listener(host, port)
    url = _url(listener, host)
    _Server(sandbox, lambda: started(url)).run([listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _url(listener: socket.socket, host: str) -> str:
    name = "127.0.0.1" if host in _WILDCARDS else host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{listener.getsockname()[1]}"
