"""What is answered over HTTP in place of what was asked for, in the shape of GraphQL's errors."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.observing.observation import note_error
from app.redis.rates import Allowance

Error = Mapping[str, Any]

VARY = "Accept, Authorization"


def error(message: str, code: str, **extensions: object) -> Error:
    """Return an error as GraphQL writes it."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def refusal(
    status: HTTPStatus, errors: Sequence[Error], headers: Mapping[str, str] | None = None
) -> Response:
    """Return the response that tells errors; nobody keeps it."""
    for one in errors:
        note_error(one["extensions"]["code"])
    response = Response(orjson.dumps({"errors": errors}), status)
    response.headers["Content-Type"] = "application/json; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = VARY
    response.headers.update(headers or {})
    return response


def unknown_caller(cause: Unauthenticated | UpstreamUnavailable) -> Response:
    """Return what somebody is answered of whom nobody can tell who it is."""
    status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"}
    if isinstance(cause, Unauthenticated):
        wrong = ', error="invalid_token"' if cause.sent else ""
        status = HTTPStatus.UNAUTHORIZED
        headers = {"WWW-Authenticate": f'Bearer realm="credit-gateway"{wrong}'}
    return refusal(status, [error(str(cause), cause.code)], headers)


def too_often(allowance: Allowance, limits: Mapping[str, str]) -> Response:
    """Return what a caller is answered who has asked as often as it may."""
    seconds = f"{allowance.period_seconds:g}"
    message = f"{allowance.limit} requests in {seconds} s are the most; wait as Retry-After says."
    return refusal(HTTPStatus.TOO_MANY_REQUESTS, [error(message, "RATE_LIMITED")], limits)
