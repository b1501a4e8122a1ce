"""
The messages of `graphql-transport-ws`, and the codes that end a connection.

Follows the protocol of graphql-ws; what it does not describe is refused, as it asks for.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
import orjson

SUBPROTOCOL = "graphql-transport-ws"

# RFC 6455 allows 125 bytes, two of which are the code.
_MOST_REASON_BYTES = 123
# Clients number their operations, or name them by a UUID.
_MOST_ID_CHARACTERS = 128


class Closed(Exception):
    """The connection ends with a code, and a reason in a few words."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        # Cut where a character ends: a reason has to be UTF-8.
        self.reason = reason.encode()[:_MOST_REASON_BYTES].decode(errors="ignore")


INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013
BAD_REQUEST = 4400
UNAUTHORIZED = 4401
FORBIDDEN = 4403
SUBPROTOCOL_NOT_ACCEPTABLE = 4406
INITIALISATION_TIMEOUT = 4408
SUBSCRIBER_EXISTS = 4409
TOO_MANY_INITIALISATIONS = 4429

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=_MOST_ID_CHARACTERS)]
_Payload = dict[str, Any] | None


class Init(msgspec.Struct, tag="connection_init"):
    payload: _Payload = None


class Ping(msgspec.Struct, tag="ping"):
    payload: _Payload = None


class Pong(msgspec.Struct, tag="pong"):
    payload: _Payload = None


class Subscribe(msgspec.Struct, tag="subscribe"):
    id: _Id
    payload: dict[str, Any]


class Complete(msgspec.Struct, tag="complete"):
    id: _Id


Message = Init | Ping | Pong | Subscribe | Complete


def read(text: str | None) -> Message:
    """Return what a client sent; raises `Closed` where that is nothing of the protocol."""
    if text is None:
        raise Closed(BAD_REQUEST, "Messages are text, not bytes")
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Closed(BAD_REQUEST, "The message is not JSON") from None
    try:
        message: Message = msgspec.convert(said, Message)
    except msgspec.ValidationError:
        raise Closed(
            BAD_REQUEST, "The message is none of connection_init, ping, pong, subscribe, complete"
        ) from None
    return message


def authorization(payload: Mapping[str, Any] | None, handshake: Sequence[str]) -> Sequence[str]:
    """Return the `Authorization` headers that count: those of the payload, else the handshake's.

    A payload has it by its name, or within `headers` as some clients send it.
    """
    payload = payload or {}
    headers = payload.get("headers")
    for named in (payload, headers if isinstance(headers, dict) else {}):
        sent = [value for name, value in named.items() if name.lower() == "authorization"]
        if sent:
            return [value if isinstance(value, str) else "" for value in sent]
    return handshake


def ack() -> str:
    return _written(type="connection_ack")


def pong(payload: Mapping[str, Any] | None) -> str:
    """Return the answer to a ping, with what came with it; raises `Closed`."""
    try:
        return _written(type="pong", **({} if payload is None else {"payload": payload}))
    except TypeError:  # it is read deeper than it is written
        raise Closed(BAD_REQUEST, "The payload is nested too deeply") from None


def next_answer(operation: str, body: Mapping[str, Any]) -> str:
    return _written(id=operation, type="next", payload=body)


def complete(operation: str) -> str:
    return _written(id=operation, type="complete")


def error(operation: str, errors: Sequence[Mapping[str, Any]]) -> str:
    """Return what ends an operation that could not be executed."""
    return _written(id=operation, type="error", payload=errors)


def _written(**message: object) -> str:
    return orjson.dumps(message).decode()
