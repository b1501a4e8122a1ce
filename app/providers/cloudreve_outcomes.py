"""How Cloudreve says that a call went: in a `code`, whatever the HTTP status says."""

from http import HTTPStatus
from typing import TypeVar

from app.model.errors import (
    GatewayError,
    PlaceLost,
    UpstreamInvalidResponse,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.providers.call import Answer
from app.providers.payload import decoded
from app.providers.shapes import cloudreve as shapes
from app.providers.telling import Read

D = TypeVar("D")

_RENEWABLE = {401, 40020}
_REFUSED = {403, 40017, 40018, 40021, 40080, 40088, 40089}
# A bad cursor is a database error to the siblings of these lists; see 2.5 of the facts.
_PERHAPS_THE_CURSOR = {404, 40001, 50001}
_SERVER_SIDE = 50000


class TokenRefused(UpstreamUnauthorized):
    """The access token has expired; a new one may be accepted."""


def data_of(answer: Answer, read: Read[D], name: str, *, with_place: bool = False) -> D:
    """Return the data of a success; raises `UpstreamError`, and `PlaceLost` for a bad cursor."""
    if answer.status != HTTPStatus.OK:
        raise UpstreamInvalidResponse(f"{name} answered HTTP {answer.status}.")
    envelope = decoded(answer.body, shapes.Envelope, name)
    if envelope.code:
        raise _failure(envelope.code, name, with_place=with_place)
    return read(envelope.data)


def _failure(code: int, name: str, *, with_place: bool) -> GatewayError:
    if with_place and code in _PERHAPS_THE_CURSOR:
        return PlaceLost(f"{name} answered code {code} to a cursor.")
    if code in _RENEWABLE:
        return TokenRefused(f"{name} refuses the account's token (code {code}).")
    if code in _REFUSED:
        return UpstreamUnauthorized(f"{name} refuses the account (code {code}).")
    if code >= _SERVER_SIDE or code < 0:
        return UpstreamUnavailable(f"{name} is not available (code {code}).")
    return UpstreamInvalidResponse(f"{name} refused the request (code {code}).")
