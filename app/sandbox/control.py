"""Control over HTTP: every operation of `Sandbox`, in JSON."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox.history import ControlError
from app.sandbox.sandbox import Sandbox
from app.sandbox.upstream import json_object

Body = dict[str, Any]
Operation = Callable[[Sandbox, Request, Body], object]

_ADDRESS: Mapping[str, type] = {"provider": str, "stream": str, "reference": str}


def create_control(sandbox: Sandbox) -> Starlette:
    """Return the control API, relative to `/control`."""
    routes = (
        ("/state", "GET", lambda box, _request, _body: box.state()),
        ("/customers", "GET", lambda box, _request, _body: box.sample_customers()),
        ("/calls", "GET", lambda box, _request, _body: box.calls()),
        ("/calls", "DELETE", _reset_calls),
        ("/log", "GET", lambda box, _request, _body: box.log()),
        ("/entries", "POST", _add_entry),
        ("/entries", "PATCH", _change_entry),
        ("/entries", "DELETE", _delete_entry),
        ("/tokens/expire", "POST", _expire_tokens),
        ("/tokens/issue", "POST", _issue_credentials),
        ("/faults/{provider}", "PUT", _set_fault),
        ("/faults/{provider}", "DELETE", _clear_fault),
        ("/settings", "PUT", lambda box, _request, body: box.change_settings(**body)),
    )
    return Starlette(
        routes=[
            Route(path, _endpoint(sandbox, operation), methods=[method])
            for path, method, operation in routes
        ],
        exception_handlers={ControlError: _refused},
    )


def _endpoint(sandbox: Sandbox, operation: Operation) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        body = json_object(await request.body() or b"{}")
        if body is None:
            raise ControlError("the body must be a JSON object")
        return JSONResponse(operation(sandbox, request, body))

    return endpoint


async def _refused(_request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, ControlError) else 400
    return JSONResponse({"error": str(error)}, status)


def _reset_calls(sandbox: Sandbox, _request: Request, _body: Body) -> object:
    sandbox.reset_calls()
    return {}


def _add_entry(sandbox: Sandbox, _request: Request, body: Body) -> object:
    wish = _entry_wish(body, {"entry": dict, "at": str, "position": int})
    if "at" in wish:
        wish["at"] = _instant(wish["at"])
    return sandbox.add_entry(**wish)


def _change_entry(sandbox: Sandbox, _request: Request, body: Body) -> object:
    wish = _entry_wish(body, {"entry": dict, "id": str, "index": int})
    return sandbox.change_entry(entry=wish.pop("entry", {}), **_placed(wish))


def _delete_entry(sandbox: Sandbox, _request: Request, body: Body) -> object:
    return sandbox.delete_entry(**_placed(_entry_wish(body, {"id": str, "index": int})))


def _expire_tokens(sandbox: Sandbox, _request: Request, body: Body) -> object:
    wish = _read(body, {"provider": str}, {"what": str})
    sandbox.expire_tokens(**wish)
    return wish


def _issue_credentials(sandbox: Sandbox, _request: Request, body: Body) -> object:
    wish = _read(body, {"provider": str, "reference": str}, {"account": int})
    return sandbox.issue_credentials(**wish)


def _set_fault(sandbox: Sandbox, request: Request, body: Body) -> object:
    sandbox.set_fault(request.path_params["provider"], body)
    return body


def _clear_fault(sandbox: Sandbox, request: Request, _body: Body) -> object:
    sandbox.clear_fault(request.path_params["provider"])
    return {}


def _entry_wish(body: Body, optional: Mapping[str, type]) -> Body:
    return _read(body, _ADDRESS, {"account": int, **optional})


def _placed(wish: Body) -> Body:
    if "id" in wish:
        wish["entry_id"] = wish.pop("id")
    return wish


def _read(body: Body, required: Mapping[str, type], optional: Mapping[str, type]) -> Body:
    known = {**required, **optional}
    missing = [name for name in required if name not in body]
    if missing:
        raise ControlError(f"{missing[0]} is missing")
    given = {name: value for name, value in body.items() if value is not None}
    for name, value in given.items():
        if name not in known or not isinstance(value, known[name]):
            raise ControlError(f"{name} cannot be {value!r}")
    return given


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ControlError("at must be an instant with an offset")
    return at
