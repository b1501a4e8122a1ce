"""
Cloudreve v4 Pro: preferences, credit changes, payments and the renewal of tokens.

Every application error is an HTTP 200 with a `code`. Lists are read by a cursor: the standard
base64 of `{"id": …}` with the id of the last row given; it is absent on the last page.
"""

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.sandbox.cloudreve.account import CloudreveAccount
from app.sandbox.cloudreve.tokens import ACCESS, LOGIN_REQUIRED, REFRESH, TokenRefused, Tokens
from app.sandbox.history import CREDIT_CHANGES, PAYMENTS, Account, History, Row
from app.sandbox.people import CLOUDREVE, Holder
from app.sandbox.upstream import Answer, Surroundings, Upstream, bearer, json_object

PARAMETER_ERROR = 40001
DATABASE_ERROR = 50001

_MESSAGES = {
    401: "Login required",
    403: "No permission",
    404: "Not found",
    PARAMETER_ERROR: "Invalid parameters",
    40017: "This account has been blocked",
    40018: "This account is not activated",
    40019: "This feature is not enabled",
    40020: "Invalid credentials",
    40021: "User not found",
    DATABASE_ERROR: "Database operation failed",
}
_LEAST_ROWS = 10
_MOST_ROWS = 100
_KEYS = {CREDIT_CHANGES: "changes", PAYMENTS: "payments"}


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Json(JSONResponse):
    media_type = "application/json; charset=utf-8"


class CloudreveSite(Upstream):
    name = CLOUDREVE
    base_path = "/cloudreve/api/v4"

    def __init__(self, around: Surroundings, holders: list[Holder], entries: int) -> None:
        super().__init__(around)
        users = (CloudreveAccount(holder, around.seed, entries) for holder in holders)
        self._users = {user.user_id: user for user in users}
        self.tokens = Tokens(around)

    @property
    def accounts(self) -> Mapping[str, CloudreveAccount]:
        return self._users

    def app(self) -> Starlette:
        routes = (
            ("/user/setting", self._setting, "GET"),
            ("/user/creditChanges", self._credit_changes, "GET"),
            ("/user/payments", self._payments, "GET"),
            ("/session/token/refresh", self._refresh, "POST"),
        )
        return Starlette(
            routes=[
                Route(path, self.around.locked(_caught(answer)), methods=[method])
                for path, answer, method in routes
            ],
            exception_handlers={404: _no_route, 405: _no_route},
        )

    def credentials(self, account: Account) -> dict[str, str]:
        return {"refreshToken": self.tokens.first(_user_id(account))}

    def issue(self, account: Account) -> dict[str, str]:
        return {"refreshToken": self.tokens.pair(_user_id(account))["refresh_token"]}

    def expire(self, what: str) -> None:
        for kind in (ACCESS, REFRESH):
            if what in (kind, "all"):
                self.tokens.expire(kind)

    def failure(self, status: int, headers: Mapping[str, str]) -> Response:
        """Answer as the proxy in front does; the application itself has no HTTP errors."""
        return PlainTextResponse(f"upstream error {status}\n", status, headers)

    def refusal(self, code: int) -> Response:
        return _error(code)

    def _setting(self, request: Request, _body: bytes) -> Response:
        user = self._user(request)
        return _success(
            {
                "version_retention_enabled": False,
                "version_retention_ext": [],
                "version_retention_max": 10,
                "passwordless": False,
                "two_fa_enabled": False,
                "passkeys": [],
                "disable_view_sync": False,
                "share_links_in_profile": "",
                "credit": user.credit,
            }
        )

    def _credit_changes(self, request: Request, _body: bytes) -> Response:
        return self._list(request, CREDIT_CHANGES)

    def _payments(self, request: Request, _body: bytes) -> Response:
        return self._list(request, PAYMENTS)

    def _list(self, request: Request, stream: str) -> Response:
        user = self._user(request)
        size = _page_size(request.query_params.get("page_size", ""))
        direction = request.query_params.get("order_direction") or "asc"
        if direction not in ("asc", "desc"):
            raise _Refused(PARAMETER_ERROR)
        token = request.query_params.get("next_page_token", "")
        rows = _after(user.history(stream), token, size + 1, descending=direction == "desc")
        page = rows[:size]
        pagination: dict[str, Any] = {"page": 0, "page_size": size}
        if len(rows) > size:
            pagination["next_token"] = _token(page[-1])
        pagination["is_cursor"] = True
        shown = [user.shown(stream, row) for row in page]
        return _success({"pagination": pagination, _KEYS[stream]: shown or None})

    def _refresh(self, _request: Request, body: bytes) -> Response:
        token = (json_object(body) or {}).get("refresh_token")
        if not isinstance(token, str) or not token:
            raise _Refused(PARAMETER_ERROR)
        return _success(self.tokens.refreshed(token))

    def _user(self, request: Request) -> CloudreveAccount:
        user = self._users.get(self.tokens.user_id(bearer(request)))
        if user is None:
            raise TokenRefused(LOGIN_REQUIRED)
        return user


def _user_id(account: Account) -> str:
    if not isinstance(account, CloudreveAccount):
        raise TypeError(account)
    return account.user_id


def _caught(answer: Answer) -> Answer:
    def caught(request: Request, body: bytes) -> Response:
        try:
            return answer(request, body)
        except (TokenRefused, _Refused) as refused:
            return _error(refused.code)

    return caught


def _success(data: Mapping[str, Any]) -> Response:
    content = {"code": 0, "data": data, "msg": ""}
    return _Json(content, headers={"Cache-Control": "private, no-cache"})


def _error(code: int) -> Response:
    message = _MESSAGES.get(code, "Internal error")
    content = {"code": code, "msg": message, "correlation_id": str(uuid4())}
    return _Json(content, headers={"Cache-Control": "private, no-cache"})


async def _no_route(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("404 page not found", 404)


def _page_size(text: str) -> int:
    if not (text.isascii() and text.isdigit() and _LEAST_ROWS <= int(text) <= _MOST_ROWS):
        raise _Refused(PARAMETER_ERROR)
    return int(text)


def _token(row: Row) -> str:
    content = json.dumps({"id": row.key}, separators=(",", ":"))
    return base64.b64encode(content.encode()).decode()


def _after(history: History, token: str, count: int, *, descending: bool) -> list[Row]:
    rows = history.rows
    rank = history.ranks.get(_last_id(token)) if token else None
    if token and rank is None:
        raise _Refused(DATABASE_ERROR)
    if descending:
        end = len(rows) if rank is None else bisect_left(rows, rank, key=_rank)
        return rows[max(end - count, 0) : end][::-1]
    start = 0 if rank is None else bisect_right(rows, rank, key=_rank)
    return rows[start : start + count]


def _rank(row: Row) -> Fraction:
    return row.rank


def _last_id(token: str) -> str:
    try:
        content = json.loads(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        content = None
    last = content.get("id") if isinstance(content, dict) else None
    if not isinstance(last, str):
        raise _Refused(DATABASE_ERROR)
    return last
