"""What goes past the router is answered as if it had gone by it."""

from http import HTTPStatus

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server import refusal
from app.server.shortcut import Shortcut

PATH = "/graphql"


class Endpoint:
    """Says what it was asked, or breaks before or within its answer."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}")
        if scope["query_string"] == b"broken":
            raise LookupError
        if scope["query_string"] == b"torn":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise LookupError
        await PlainTextResponse(self.seen[-1])(scope, receive, send)


def router(*routes: Route) -> FastAPI:
    """Return a router that refuses as the gateway's does."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: refusal.answer},
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.router.routes += [*routes, Route("/other", PlainTextResponse("other"))]
    return app


async def answered(app: ASGIApp, method: str, path: str) -> tuple[object, ...]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        response = await http.request(method, path)
    return response.status_code, response.headers.multi_items(), response.content


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "QUERY"])
@pytest.mark.parametrize(
    "path",
    [
        *(PATH, f"{PATH}?query={{a}}", f"{PATH}?broken", f"{PATH}?torn", f"{PATH}%3Fa", f"{PATH}/"),
        *(f"{PATH}/assets/a.js", f"/{PATH}", "/GRAPHQL", "/graph%71l", "/", "/other"),
    ],
)
async def test_an_answer_is_the_same_past_the_router_as_by_it(method: str, path: str) -> None:
    by_route, past_it = Endpoint(), Endpoint()

    expected = await answered(router(Route(PATH, by_route)), method, path)
    found = await answered(Shortcut(router(), PATH, past_it), method, path)

    assert found == expected
    assert past_it.seen == by_route.seen


async def test_an_error_that_nobody_foresaw_is_raised_for_the_server_to_log() -> None:
    app = Shortcut(router(), PATH, Endpoint())

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as http:
        with pytest.raises(LookupError):
            await http.get(f"{PATH}?broken")


async def test_a_path_that_only_a_pattern_takes_for_it_is_another_one() -> None:
    """The router's pattern passes over a line break at the end, which the other rings do not."""
    status, *_ = await answered(Shortcut(router(), PATH, Endpoint()), "GET", f"{PATH}%0A")

    assert status == HTTPStatus.NOT_FOUND


async def test_the_router_never_hears_of_it() -> None:
    """Control: without it, the router answers that there is nothing at that path."""
    status, *_ = await answered(router(), "GET", PATH)
    endpoint = Endpoint()
    past_it, *_ = await answered(Shortcut(router(), PATH, endpoint), "GET", PATH)

    assert (status, past_it) == (HTTPStatus.NOT_FOUND, HTTPStatus.OK)
    assert endpoint.seen
