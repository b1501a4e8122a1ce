"""Applications of a few lines to stand behind the rings."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


def living(application: ASGIApp) -> ASGIApp:
    """Return an application that a server can start and stop."""

    async def lived(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for one in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{one}.complete"})
        else:
            await application(scope, receive, send)

    return lived


def answering(answers: Mapping[str, ASGIApp]) -> ASGIApp:
    """Return an application that answers each path by an application of its own."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await answers[scope["path"]](scope, receive, send)

    return living(application)


def given(content: bytes, fields: Mapping[str, str], status: int = 200) -> Response:
    """Return an answer, which is one and the same to all who ask."""
    return Response(content, status, fields)
