"""
Errors as callers see them: with a code, and quoting nothing that was sent.

An error of ours says its code and its message. Any other error that a resolver raises says nothing
but a correlation id, under which the log has everything.
"""

from typing import Any
from uuid import uuid4

import structlog
from graphql import GraphQLError

from app.api.masking import masked
from app.model.errors import CallerError, UpstreamError
from app.model.instants import written

_log = structlog.get_logger("api")


def shown(error: GraphQLError) -> dict[str, Any]:
    """Return an error of execution as it is answered."""
    original = error.original_error
    if isinstance(original, (CallerError, UpstreamError)):
        return formatted(error, _extensions(original))
    if original is None or isinstance(original, GraphQLError):
        return quoting_nothing(error, "BAD_USER_INPUT")
    return formatted(
        GraphQLError("Internal error.", nodes=error.nodes, path=error.path), internal(original)
    )


def internal(error: BaseException) -> dict[str, Any]:
    """Log an error of ours that nobody foresaw; return the extensions that lead to it."""
    correlation_id = str(uuid4())
    _log.error("internal error", correlation_id=correlation_id, exc_info=error)
    return {"code": "INTERNAL", "correlationId": correlation_id}


def quoting_nothing(error: GraphQLError, code: str) -> dict[str, Any]:
    """Return an error of graphql-core as it is answered."""
    return {**formatted(error, {"code": code}), "message": masked(error.message)}


def formatted(error: GraphQLError, extensions: dict[str, Any]) -> dict[str, Any]:
    """Return an error as it is answered, with these extensions over its own."""
    return {**error.formatted, "extensions": {**(error.extensions or {}), **extensions}}


def _extensions(error: CallerError | UpstreamError) -> dict[str, Any]:
    """Say what kind of error it is, which field of the input it is about, and when to ask again."""
    retry_at = error.retry_at if isinstance(error, UpstreamError) else None
    return {
        "code": error.code,
        **({"field": error.field} if error.field else {}),
        **({"retryAt": written(retry_at)} if retry_at else {}),
    }
