"""CareCloud's error bodies."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

_WITHOUT_BODY = (429, 503)
_WITHOUT_EXCEPTION = 403
_SHELLS = {
    400: ("bad_request_exception", "Bad request", "The request has invalid parameters."),
    401: ("unauthorized_exception", "Unauthorized", "The bearer token is missing or invalid."),
    403: ("forbidden_exception", "Forbidden", "The interface or a right is missing."),
    404: ("not_found_exception", "Not found", "The resource was not found."),
    405: ("method_not_allowed_exception", "Method not allowed", "Use another HTTP method."),
    500: ("internal_server_error", "Internal server error", "The server failed."),
}


class Refused(Exception):
    """An error that the provider answers."""

    def __init__(self, status: int, error_data: Mapping[str, Any] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.error_data = error_data or {}


def invalid(name: str, reason: str, value: str = "") -> Refused:
    """Return the error for one invalid parameter."""
    message = f"Parameter {name}: {reason.replace('_', ' ')}."
    parameter = {"name": name, "reason": reason, "value": value, "message": message}
    return Refused(400, {"invalid_params": [parameter]})


def unknown(resource: str, resource_id: str) -> Refused:
    """Return the error for a resource that does not exist."""
    return Refused(404, {"resource_name": resource, "resource_id": resource_id})


def shell(status: int, error_data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an error; the one of 403 has no `exception`."""
    kind, title, detail = _SHELLS.get(status, _SHELLS[500])
    error: dict[str, Any] = {"type": kind}
    if status != _WITHOUT_EXCEPTION:
        error["exception"] = kind
    return {"error": error | {"title": title, "detail": detail, "error_data": dict(error_data)}}


def failure(
    status: int, error_data: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an error; 429 and 503 have no body."""
    if status in _WITHOUT_BODY:
        return Response(status_code=status, headers=headers)
    return JSONResponse(shell(status, error_data), status, headers)
