"""
GraphQL over HTTP at one path: reads a request, writes an answer with the status that it needs.

Follows the GraphQL-over-HTTP draft: `application/graphql-response+json` tells by its status whether
the request could be executed; `application/json` is 200 for every well-formed request.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse
from starlette.responses import Response as HttpResponse

from app.api.context import Context
from app.api.execution import MutationByGet, Request, Response, answer
from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.model.viewer import Viewer

RESPONSE_TYPE = "application/graphql-response+json"
JSON_TYPE = "application/json"
_UTF8 = "; charset=utf-8"


class Refused(Exception):
    """The HTTP request is no GraphQL request; the message says what to send instead."""

    def __init__(
        self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})


class GraphQLEndpoint:
    """Answers `/graphql`. `page` is what a browser gets, None for nothing.

    `who` is asked before anything of a request is read. It raises `Unauthenticated`, and
    `UpstreamUnavailable` where it cannot tell now.
    """

    def __init__(
        self,
        who: Callable[[HttpRequest], Awaitable[Viewer]],
        make_context: Callable[[HttpRequest, Viewer], Context],
        *,
        most_tokens: int,
        page: bytes | None,
    ) -> None:
        self._who = who
        self._make_context = make_context
        self._most_tokens = most_tokens
        self._page = page

    async def answer(self, http: HttpRequest) -> HttpResponse:
        """Return the response to an HTTP request; no input makes it raise."""
        # HEAD is routed here with GET; the server leaves its body out.
        by_url = http.method != "POST"
        if self._page is not None and by_url and _is_browser(http):
            return HTMLResponse(self._page, headers=_PAGE_HEADERS)
        try:
            viewer = await self._who(http)
            media_type = _accepted(",".join(http.headers.getlist("accept")))
            request = await _read(http, by_url=by_url)
            context = self._make_context(http, viewer)
            response = await answer(
                request, context, most_tokens=self._most_tokens, queries_only=by_url
            )
        except (Unauthenticated, UpstreamUnavailable) as error:
            return _unknown_caller(error)
        except ClientDisconnect:
            return HttpResponse(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it
        except MutationByGet:
            message = "Only queries can be asked by GET; use POST."
            allow = {"Allow": "POST"}
            status = HTTPStatus.METHOD_NOT_ALLOWED
            return _written(_refusal(message), JSON_TYPE, status, headers=allow)
        except Refused as refused:
            return _written(
                _refusal(str(refused)), JSON_TYPE, refused.status, headers=refused.headers
            )
        status = HTTPStatus.OK
        if not response.has_data and media_type == RESPONSE_TYPE:
            status = HTTPStatus.BAD_REQUEST
        return _written(
            orjson.dumps(response.body), media_type, status, headers=_caching(response, context)
        )


_PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
        "connect-src 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}


def _written(
    body: bytes, media_type: str, status: HTTPStatus, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    response = HttpResponse(body, status)
    response.headers["Content-Type"] = media_type + _UTF8
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept, Authorization"
    response.headers.update(headers or {})
    return response


def _unknown_caller(error: Unauthenticated | UpstreamUnavailable) -> HttpResponse:
    status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"}
    if isinstance(error, Unauthenticated):
        wrong = ', error="invalid_token"' if error.sent else ""
        status = HTTPStatus.UNAUTHORIZED
        headers = {"WWW-Authenticate": f'Bearer realm="credit-gateway"{wrong}'}
    return _written(_refusal(str(error), error.code), JSON_TYPE, status, headers=headers)


def _refusal(message: str, code: str = "BAD_USER_INPUT") -> bytes:
    return orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})


def _caching(response: Response, context: Context) -> dict[str, str]:
    """Say for how long the answer stays fresh; what is partial or wrong is not kept at all."""
    if response.has_errors or context.fresh_for is None:
        return {"Cache-Control": "no-store"}
    return {"Cache-Control": f"private, max-age={context.fresh_for // timedelta(seconds=1)}"}


def requested_age(cache_control: str) -> timedelta | None:
    """Return how old an answer may be as a request's `Cache-Control` says; None where it does not.

    `no-cache` is nought. What cannot be read is as if it were not there.
    """
    directives = {
        name.strip().lower(): value.strip(' "')
        for name, _, value in (part.partition("=") for part in cache_control.split(","))
    }
    if "no-cache" in directives:
        return timedelta(0)
    age = directives.get("max-age", "")
    if age.isascii() and age.isdigit():
        return timedelta(seconds=int(age[:9]))
    return None


def _is_browser(http: HttpRequest) -> bool:
    return "query" not in http.query_params and "text/html" in http.headers.get("accept", "")


def _accepted(accept: str) -> str:
    """Choose the media type of the answer; `Refused` with 406 when none of ours is accepted.

    Where both are accepted alike it is the one that was named, and JSON when neither was.
    """
    if not accept.strip(" ,"):
        return JSON_TYPE
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights[media_type] = float(weight)
        except ValueError:
            weights[media_type] = 0.0
    any_of_ours = weights.get("application/*", weights.get("*/*", 0.0))
    graphql = weights.get(RESPONSE_TYPE, any_of_ours)
    json = weights.get(JSON_TYPE, any_of_ours)
    if graphql > json or (graphql == json > 0 and RESPONSE_TYPE in weights):
        return RESPONSE_TYPE
    if json > 0:
        return JSON_TYPE
    raise Refused(
        HTTPStatus.NOT_ACCEPTABLE, f"The answer can be {RESPONSE_TYPE} or {JSON_TYPE} only."
    )


async def _read(http: HttpRequest, *, by_url: bool) -> Request:
    if by_url:
        return _request(_from_query(http))
    content_type, *parameters = (
        part.strip().lower() for part in http.headers.get("content-type", "").split(";")
    )
    charset = next((p[8:].strip('"') for p in parameters if p.startswith("charset=")), "utf-8")
    if content_type != JSON_TYPE or charset not in {"utf-8", "utf8"}:
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the request as {JSON_TYPE} in UTF-8."
        )
    try:
        body = orjson.loads(await http.body())
    except orjson.JSONDecodeError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8.") from error
    return _request(body)


def _from_query(http: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = dict(
        parse_qsl(http.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    )
    for name in ("variables", "extensions"):
        if name in given:
            try:
                given[name] = orjson.loads(given[name])
            except orjson.JSONDecodeError as error:
                raise Refused(
                    HTTPStatus.BAD_REQUEST, f"The parameter `{name}` is not JSON."
                ) from error
    return given


_SHAPE: tuple[tuple[str, type, str], ...] = (
    ("operationName", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
)


def _request(given: Any) -> Request:  # noqa: ANN401 - it is whatever was sent
    """Check the parameters of a GraphQL request; null is the same as absent."""
    if not isinstance(given, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is a JSON object with a `query`.")
    query = given.get("query")
    if not isinstance(query, str) or not query:
        raise Refused(HTTPStatus.BAD_REQUEST, "The request has no `query`; it is a string.")
    for name, shape, described in _SHAPE:
        if given.get(name) is not None and not isinstance(given[name], shape):
            raise Refused(HTTPStatus.BAD_REQUEST, f"`{name}` is {described}.")
    return Request(query, given.get("operationName") or None, given.get("variables"))
