"""
Exports over HTTP: `/customers/{reference}/credit-changes.csv`, `.ndjson` and `/payments…`.

An answer begins once all of it is known, within the time of any request.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from math import ceil
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.api.entrance import Entrance
from app.api.errors import internal
from app.api.histories import Source, SourceState
from app.api.refusals import error, refusal, too_often, unknown_caller
from app.exports.asking import asked
from app.exports.export import Export, Incomplete, opened, told, visible
from app.exports.form import Format
from app.exports.formats import MEDIA_TYPES
from app.exports.streaming import Room, Streamed
from app.model.entries import Stream
from app.model.errors import (
    BadUserInput,
    NotFound,
    Unauthenticated,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from app.model.instants import written
from app.redis.rates import header_fields

_METHODS = ("GET", "HEAD")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST_NAME = 80
_OTHERS = HTTPStatus.BAD_GATEWAY
_STATUSES: Mapping[type[UpstreamError], HTTPStatus] = {
    UpstreamTimeout: HTTPStatus.GATEWAY_TIMEOUT,
    UpstreamUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    UpstreamRateLimited: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Doors(NamedTuple):
    """What an export passes on its way in: the entrance of every request, and the room for it."""

    entrance: Entrance
    room: Room


def routes(doors: Callable[[HTTPConnection], Doors]) -> list[Route]:
    """Return a route for each stream and format; a reference may hold any character."""
    return [
        Route(
            f"/customers/{{reference:path}}/{_slug(stream)}.{form}",
            ExportEndpoint(doors, stream, form),
        )
        for stream in Stream
        for form in Format
    ]


class ExportEndpoint:
    """Answers one path of exports."""

    def __init__(
        self, doors: Callable[[HTTPConnection], Doors], stream: Stream, form: Format
    ) -> None:
        self._doors = doors
        self._stream = stream
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.answer(HttpRequest(scope, receive))
        await response(scope, receive, send)

    async def answer(self, http: HttpRequest) -> Response:
        """Return the response to a request; no input makes it raise."""
        try:
            return await self._answered(http)
        except (Unauthenticated, UpstreamUnavailable) as cause:
            return unknown_caller(cause)
        except BadUserInput as cause:
            return refusal(HTTPStatus.BAD_REQUEST, [error(str(cause), cause.code)])
        except NotFound as cause:
            return refusal(HTTPStatus.NOT_FOUND, [error(str(cause), cause.code)])
        except Exception as cause:  # noqa: BLE001 - whatever broke, the caller gets an answer
            broken = {"message": "Internal error.", "extensions": internal(cause)}
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, [broken])

    async def _answered(self, http: HttpRequest) -> Response:
        if http.method not in _METHODS:
            only = error("An export is asked for by GET.", "BAD_USER_INPUT")
            allow = {"Allow": ", ".join(_METHODS)}
            return refusal(HTTPStatus.METHOD_NOT_ALLOWED, [only], allow)
        entrance, room = self._doors(http)
        viewer = await entrance.who(http)
        allowance = await entrance.take(viewer)
        limits = header_fields(allowance)
        if not allowance.allowed:
            return too_often(allowance, limits)
        context = entrance.make_context(http, viewer)
        reference = http.path_params["reference"]
        customer_id = await visible(context, reference)
        query = parse_qsl(http.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        wanted = asked(self._stream, query, context.services.providers)
        headers = {**limits, **self._headers(reference)}
        if http.method == "HEAD":  # what would come is not worth reading the histories
            response = Response(headers=headers)
            del response.headers["Content-Length"]
            return response
        if refused := room.refuses(viewer):
            return refused
        try:
            export = await opened(context, customer_id, wanted)
        except Incomplete as cause:
            return _incomplete(cause.sources, context.services.clock())
        return Streamed(export.parts(self._form), {**headers, **_age(export)}, room, viewer)

    def _headers(self, reference: str) -> dict[str, str]:
        safe = _UNSAFE.sub("_", reference)[:_LONGEST_NAME]
        name = f"{safe}-{_slug(self._stream)}.{self._form}"
        return {
            "Content-Type": MEDIA_TYPES[self._form],
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
            "Vary": "Authorization",
            "X-Content-Type-Options": "nosniff",
        }


def _slug(stream: Stream) -> str:
    return stream.replace("_", "-")


def _age(export: Export) -> dict[str, str]:
    """Say how far to trust it, as `sources` do in GraphQL: the stalest, and the oldest reading."""
    state = SourceState.STALE if export.is_stale else SourceState.FRESH
    return {"X-State": state} | ({"X-Read-At": written(export.read_at)} if export.read_at else {})


def _incomplete(sources: Sequence[Source], now: datetime) -> Response:
    """Tell of each history that is not whole why it is not, and when to ask again at the soonest.

    The status is that of the first.
    """
    causes = [(one, one.error) for one in sources if one.error]
    errors = [
        error(
            told(source),
            cause.code,
            provider=source.account.provider,
            **({"retryAt": written(cause.retry_at)} if cause.retry_at else {}),
        )
        for source, cause in causes
    ]
    waits = [cause.retry_at - now for _, cause in causes if cause.retry_at]
    seconds = max((ceil(wait.total_seconds()) for wait in waits), default=0)
    retry = {"Retry-After": str(seconds)} if seconds > 0 else {}
    return refusal(_STATUSES.get(type(causes[0][1]), _OTHERS), errors, retry)
