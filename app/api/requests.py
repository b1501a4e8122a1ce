"""From what was sent over HTTP or a WebSocket to a request for GraphQL."""

from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest

_JSON_TYPE = "application/json"
# Nearly all clients write it in one of three ways.
_MOST_TYPES = 100


class Request(NamedTuple):
    """What a caller asks: a document, which of its operations, and its variables.

    A document that was persisted is named by `document_id` and may be left out as `query`.
    """

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None
    document_id: str | None = None


class Refused(Exception):
    """What was sent is no request for GraphQL; the message says what to send instead."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        headers: Mapping[str, str] | None = None,
        code: str = "BAD_USER_INPUT",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.code = code


class Malformed(Refused):
    """It is JSON, but its parameters are not those of a request."""

    def __init__(self, message: str) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, message)


class MutationByGet(Refused):
    """A URL asks for a mutation."""

    def __init__(self) -> None:
        message = "Only queries can be asked by GET; use POST."
        super().__init__(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": "POST"})


async def read(http: HttpRequest, *, by_url: bool) -> Request:
    """Return the request in the URL or in the body; raises `Refused`."""
    if by_url:
        return in_query(http.scope["query_string"])
    content_type = http.headers.get("content-type", "")
    _require_json(content_type)  # before anything is read
    return in_body(content_type, await _body(http))


async def _body(http: HttpRequest) -> bytes:
    """Return the whole body; the library's way, a generator of its parts, takes twice as long."""
    parts: list[bytes] = []
    while True:
        message = await http.receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def in_body(content_type: str, body: bytes) -> Request:
    """Return the request that a body of such a type is; raises `Refused`."""
    _require_json(content_type)
    try:
        return parsed(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not JSON in UTF-8.") from error


def in_query(query_string: bytes) -> Request:
    """Return the request that the query of a URL is; raises `Refused`."""
    given: dict[str, Any] = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))
    for name in ("variables", "extensions"):
        if name in given:
            try:
                given[name] = orjson.loads(given[name])
            except orjson.JSONDecodeError as error:
                raise Refused(
                    HTTPStatus.BAD_REQUEST, f"The parameter `{name}` is not JSON."
                ) from error
    return parsed(given)


def _require_json(content_type: str) -> None:
    if not _is_json(content_type):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the request as {_JSON_TYPE} in UTF-8."
        )


@lru_cache(_MOST_TYPES)
def _is_json(content_type: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charset = next((p[8:].strip('"') for p in parameters if p.startswith("charset=")), "utf-8")
    return media_type == _JSON_TYPE and charset in {"utf-8", "utf8"}


_SHAPE: tuple[tuple[str, type, str], ...] = (
    ("query", str, "a string"),
    ("operationName", str, "a string"),
    ("variables", dict, "an object"),
    ("extensions", dict, "an object"),
    ("documentId", str, "a string"),
)


def parsed(given: Any) -> Request:  # noqa: ANN401 - it is whatever was sent
    """Return the request that parameters make; null is the same as absent. Raises `Refused`."""
    if not isinstance(given, dict):
        raise Malformed("The body is a JSON object with a `query`.")
    for name, shape, described in _SHAPE:
        if given.get(name) is not None and not isinstance(given[name], shape):
            raise Malformed(f"`{name}` is {described}.")
    query = given.get("query") or None
    document_id = given.get("documentId") or _persisted(given.get("extensions") or {})
    if query is None and document_id is None:
        raise Malformed("The request has no `query`; it is a string.")
    return Request(query, given.get("operationName") or None, given.get("variables"), document_id)


def _persisted(extensions: Mapping[str, Any]) -> str | None:
    """Return the name that the protocol of automatic persisted queries gives a document."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or not isinstance(persisted.get("sha256Hash"), str):
        raise Malformed("`extensions.persistedQuery` is an object with a string `sha256Hash`.")
    if persisted.get("version") != 1 or persisted["version"] is True:
        raise Malformed("`extensions.persistedQuery.version` is 1.")
    return str(persisted["sha256Hash"])
