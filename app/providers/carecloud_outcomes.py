"""How CareCloud says that a call went: by its HTTP status, and a 400 by its reasons."""

from http import HTTPStatus
from typing import TypeVar

import msgspec

from app.model.errors import UpstreamInvalidResponse, UpstreamUnauthorized
from app.providers.call import Answer
from app.providers.payload import decoded
from app.providers.shapes import carecloud as shapes
from app.providers.telling import Read

D = TypeVar("D")


class LoginRefused(UpstreamUnauthorized):
    """The bearer token has expired or was ended; a new login may be accepted."""


def data_of(answer: Answer, read: Read[D], name: str) -> D:
    """Return the data of a success; raises `UpstreamError`."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise LoginRefused(f"{name} refuses the configured login.", relink=False)
    if answer.status == HTTPStatus.FORBIDDEN or _belongs_to_another(answer):
        raise UpstreamUnauthorized(f"{name} does not show this customer.", relink=False)
    if answer.status == HTTPStatus.NOT_FOUND:
        raise UpstreamUnauthorized(f"{name} does not know this customer.")
    if answer.status >= HTTPStatus.BAD_REQUEST:
        raise UpstreamInvalidResponse(f"{name} answered HTTP {answer.status}.")
    envelope = decoded(answer.body, shapes.Envelope, name)
    return read(envelope.data)


def _belongs_to_another(answer: Answer) -> bool:
    """Say whether a 400 means that the customer may not be seen with this login."""
    if answer.status != HTTPStatus.BAD_REQUEST:
        return False
    try:
        problem = msgspec.json.decode(answer.body, type=shapes.Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    params = problem.error_data.invalid_params if problem and problem.error_data else []
    return any(param.reason == "not_belong_to_logged_in_customer" for param in params)
