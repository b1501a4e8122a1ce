"""Answers that the server itself gives in place of the application, in the shape of GraphQL's."""

from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from app.observing.observation import note_error

_CODES = {
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.SERVICE_UNAVAILABLE: "RATE_LIMITED",
    HTTPStatus.GATEWAY_TIMEOUT: "DEADLINE_EXCEEDED",
}
_MESSAGES = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path; GraphQL is at /graphql.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This path is not asked by this method; `Allow` lists those.",
}


def written(status: HTTPStatus, message: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return the body of a refusal and its header fields; it is kept by nobody."""
    code = _CODES.get(status, "BAD_USER_INPUT")
    note_error(code)
    body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
    return body, [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]


def start(status: HTTPStatus, headers: list[tuple[bytes, bytes]]) -> Message:
    """Return the message that begins an answer."""
    return {"type": "http.response.start", "status": status.value, "headers": headers}


async def answer(_: Request, error: Exception) -> Response:
    """Return what an unknown path or another method is answered: an application's handler."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    status = HTTPStatus(error.status_code)
    body, headers = written(status, _MESSAGES.get(status, error.detail))
    response = Response(body, status)
    response.raw_headers = headers
    response.headers.update(error.headers or {})
    return response
