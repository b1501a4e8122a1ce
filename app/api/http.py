"""
GraphQL over HTTP at one path: reads a request, writes an answer with the status that it needs.

Follows the GraphQL-over-HTTP specification: `application/graphql-response+json` tells by its status
how far the request came; `application/json` is 200 for every well-formed request.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from http import HTTPStatus

from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.answering import Answer, How
from app.api.entrance import Entrance
from app.api.execution import Outcome
from app.api.negotiation import EVENTS_TYPE, RESPONSE_TYPE, accepted
from app.api.refusals import VARY, error, refusal, too_often, unknown_caller
from app.api.requests import Malformed, Refused, Request, read
from app.api.streams.sse import NO_ROOM, event_stream
from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.redis.rates import Allowance, header_fields, raw_header_fields

_METHODS = ("GET", "HEAD", "POST")
# Where in a scope the ring that gives answers again has a list for what was kept of this one.
KEPT = "credit_gateway.kept"
# There, where nothing is kept of it: it was looked for already.
MISSED = "credit_gateway.missed"
# There, where nothing compresses the answer as its client takes none so: how many bytes one has at
# least that is compressed else.
UNCODED = "credit_gateway.uncoded"
_VARY = VARY.encode()
_UNCODED_VARY = _VARY + b", Accept-Encoding"
_ASKING = {"query", "documentId", "extensions"}
# Not registered with IANA, but what the specification asks for.
_PARTIAL_SUCCESS = 294


class GraphQLEndpoint:
    """Answers `/graphql`. `page` answers a browser, None where nothing does.

    With `precise_statuses` an answer in `application/graphql-response+json` has the specification's
    newest statuses: 422 for what was read but cannot be executed, 294 for data with errors.
    """

    def __init__(
        self,
        entrance: Callable[[], Entrance],
        *,
        page: Callable[[], HttpResponse] | None = None,
        precise_statuses: bool = False,
    ) -> None:
        self._entrance = entrance
        self._page = page
        self._precise_statuses = precise_statuses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.answer(HttpRequest(scope, receive))
        await response(scope, receive, send)

    async def answer(self, http: HttpRequest) -> ASGIApp:
        """Return the response to an HTTP request; no input makes it raise."""
        try:
            return await self._answered(http)
        except (Unauthenticated, UpstreamUnavailable) as cause:
            return unknown_caller(cause)
        except Refused as refused:
            return refusal(refused.status, [error(str(refused), refused.code)], refused.headers)
        except ClientDisconnect:
            return HttpResponse(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it

    async def _answered(self, http: HttpRequest) -> ASGIApp:
        if http.method not in _METHODS:
            raise Refused(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "GraphQL is asked by POST, or by GET for queries.",
                {"Allow": ", ".join(_METHODS)},
            )
        # HEAD comes here with GET; the server leaves its body out.
        by_url = http.method != "POST"
        if self._page is not None and by_url and _is_browser(http):
            return self._page()
        entrance = self._entrance()
        viewer = await entrance.who(http)
        allowance = await entrance.take(viewer)
        if not allowance.allowed:
            return too_often(allowance, header_fields(allowance))
        media_type = accepted(",".join(http.headers.getlist("accept")))
        request = await self._read(http, media_type)
        if media_type == EVENTS_TYPE:
            if not entrance.streams.has_room_for(viewer):
                return NO_ROOM
            context = entrance.make_context(http, viewer)
            answers = await entrance.executor.answers(request, context, queries_only=by_url)
            limits = header_fields(allowance)
            return event_stream(entrance.streams, viewer, http, answers, limits)
        how = How(MISSED in http.scope or _wants_newer(http), by_url)
        make_context = partial(entrance.make_context, http, viewer)
        answer = await entrance.answering.answer(request, viewer, make_context, how)
        if answer.kept and KEPT in http.scope:
            http.scope[KEPT].append(answer.kept)
        vary = vary_of(http.scope, answer.body)
        fields = _fields(answer, media_type, allowance, vary)
        return _Written(self._status(answer, media_type), fields, answer.body)

    async def _read(self, http: HttpRequest, media_type: str) -> Request:
        try:
            return await read(http, by_url=http.method != "POST")
        except Malformed as malformed:
            if self._precise_statuses and media_type == RESPONSE_TYPE:
                malformed.status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise

    def _status(self, answer: Answer, media_type: str) -> int:
        if media_type != RESPONSE_TYPE:
            return HTTPStatus.OK
        match answer.outcome:
            case Outcome.EXECUTED:
                is_partial = self._precise_statuses and answer.has_errors
                return _PARTIAL_SUCCESS if is_partial else HTTPStatus.OK
            case Outcome.INVALID if self._precise_statuses:
                return HTTPStatus.UNPROCESSABLE_ENTITY
            case Outcome.BROKEN:
                return HTTPStatus.INTERNAL_SERVER_ERROR
            case _:
                return HTTPStatus.BAD_REQUEST


class _Written:
    """A response that is sent as it is. The library's own reads and writes its fields first."""

    def __init__(self, status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
        self._start = {"type": "http.response.start", "status": status, "headers": fields}
        self._body = {"type": "http.response.body", "body": body}

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await send(self._start)
        await send(self._body)


def _fields(
    answer: Answer, media_type: str, allowance: Allowance, vary: bytes
) -> list[tuple[bytes, bytes]]:
    """Say for how long an answer stays fresh, and whether it was given before."""
    fresh_for = answer.fresh_for
    kept = b"no-store"
    if fresh_for is not None:
        kept = b"private, max-age=%d" % (fresh_for // timedelta(seconds=1))
    return [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"cache-control", kept),
        (b"vary", vary),
        *raw_header_fields(allowance),
        (b"x-cache", b"HIT" if answer.is_hit else b"MISS"),
        (b"content-length", b"%d" % len(answer.body)),
    ]


def vary_of(scope: Scope, body: bytes) -> bytes:
    """Return on what of a request its answer depends, as far as no ring further out says so."""
    return _UNCODED_VARY if len(body) >= scope.get(UNCODED, len(body) + 1) else _VARY


def _wants_newer(http: HTTPConnection) -> bool:
    return requested_age(",".join(http.headers.getlist("cache-control"))) is not None


def requested_age(cache_control: str) -> timedelta | None:
    """Return how old an answer may be as a request's `Cache-Control` says; None where it does not.

    `no-cache` is nought. What cannot be read is as if it were not there.
    """
    if not cache_control:
        return None
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
    asks = not _ASKING.isdisjoint(http.query_params)
    return not asks and "text/html" in http.headers.get("accept", "")
