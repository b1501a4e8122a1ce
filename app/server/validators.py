"""
`ETag` and `304 Not Modified` for answers to GET and HEAD that may be kept.

A tag names an answer's bytes before they are compressed, so that it is the same in every content
coding, and is therefore weak. There are no ranges, for which alone a strong one would be better.
An answer to POST gets none: no later request could name what it is an answer to (RFC 9110, 8.8.3).
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TAG = re.compile(rb'"[\x21\x23-\x7e\x80-\xff]*"')
# What tells of a body is not told where there is none.
_OF_A_BODY = ("content-length", "content-type")


class Validators:
    """Tags whole answers, and answers 304 where the client has the same already.

    It belongs within what compresses. An application's own tag is left to it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start" and _may_be_kept(message):
                held = {**message, "headers": list(message["headers"])}
                return
            if held is not None:
                begun, held = held, None
                message = _validated(scope, begun, message)
                await send(begun)
            await send(message)

        await self._app(scope, receive, sending)


def _may_be_kept(begun: Message) -> bool:
    """Whether an answer has no tag yet and may have one; what comes in parts tells no length."""
    headers = MutableHeaders(raw=begun["headers"])
    return (
        begun["status"] == HTTPStatus.OK
        and "no-store" not in headers.get("cache-control", "no-store")
        and "content-length" in headers
        and "etag" not in headers
    )


def _validated(scope: Scope, begun: Message, body: Message) -> Message:
    """Tag the answer that has begun and return its body; what comes in parts stays as it is."""
    if body["type"] != "http.response.body" or body.get("more_body", False):
        return body
    # Half of the sum: no one gains by two answers of their own with the same tag.
    tag = b'"%s"' % sha256(body.get("body", b"")).hexdigest()[:32].encode()
    headers = MutableHeaders(raw=begun["headers"])
    headers["etag"] = f"W/{tag.decode()}"
    if not _has(tag, scope["headers"]):
        return body
    begun["status"] = HTTPStatus.NOT_MODIFIED.value
    for name in _OF_A_BODY:
        del headers[name]
    headers.add_vary_header("Accept-Encoding")  # as what compresses would have said beside the body
    return {**body, "body": b""}


def _has(tag: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether `If-None-Match` names a tag, weak or strong, or any at all."""
    named = b",".join(value for name, value in headers if name == b"if-none-match")
    return named.strip() == b"*" or tag in _TAG.findall(named)
