"""Where nobody asks who is calling: only names of this machine's own reach the application."""

from functools import lru_cache

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings.addresses import is_loopback

_PROBES = {"/livez", "/readyz"}


class LoopbackHosts:
    """Refuses requests for any other host.

    A page of a name that its owner lets point here (DNS rebinding) is of the same origin to the
    browser; the `Host` header is what gives it away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"] in _PROBES or names_loopback(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _REFUSAL(scope, receive, send)


def names_loopback(scope: Scope) -> bool:
    """Say whether a request is for this machine by its own name."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return len(hosts) == 1 and _is_own(hosts[0])


@lru_cache(maxsize=100)
def _is_own(host: bytes) -> bool:
    return is_loopback(_without_port(host.decode("latin-1")))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host


_REFUSAL = JSONResponse(
    {
        "errors": [
            {
                "message": 'With auth.mode = "none" this gateway answers only as localhost, '
                "127.0.0.1 or [::1].",
                "extensions": {"code": "FORBIDDEN"},
            }
        ]
    },
    status_code=421,
    headers={"Cache-Control": "no-store"},
)
