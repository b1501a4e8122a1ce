"""
HostUp v1: credit log, transactions, currency and summary of an account.

Pages are counted from 0 and have 25 rows, the newest first; `hasMore` is the only end. Success
says so twice, an error is an HTTP error whose body has no `success`.
"""

from collections.abc import Mapping
from datetime import UTC
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox.history import CREDIT_CHANGES, PAYMENTS, Account
from app.sandbox.hostup.account import HostUpAccount
from app.sandbox.people import HOSTUP, Holder, digits
from app.sandbox.upstream import Answer, Surroundings, Upstream, bearer, json_object

PAGE_SIZE = 25
_RETRY_AFTER_SECONDS = "1"

_CURRENCIES: tuple[dict[str, Any], ...] = (
    {"id": "0", "code": "kr", "iso": "SEK", "sign": "kr", "rate": "1.0000000000"},
    {"id": "1", "code": "EUR", "iso": "EUR", "sign": "€", "rate": "0.0890000000"},
    {"id": "2", "code": "USD", "iso": "USD", "sign": "$", "rate": "0.0940000000"},
)
_FORMAT = {"format": "1 234,56", "decimal": "2", "rounding": "0"}

_MESSAGES = {
    400: "Invalid request",
    401: "Invalid or missing API key",
    403: "The API key lacks the scope read:billing",
    404: "Resource not found",
    405: "Method not allowed",
    429: "Too many requests, please try again later",
    500: "An unexpected error occurred",
}


class HostUpPanel(Upstream):
    name = HOSTUP
    base_path = "/hostup/api"

    def __init__(self, around: Surroundings, holders: list[Holder], entries: int) -> None:
        super().__init__(around)
        clients = (HostUpAccount(holder, around.seed, entries) for holder in holders)
        self._clients = {client.client_id: client for client in clients}
        self._keys = {client.api_key: client for client in self._clients.values()}
        self._issued = 0

    @property
    def accounts(self) -> Mapping[str, HostUpAccount]:
        return self._clients

    def app(self) -> Starlette:
        routes = (
            ("/billing/credit-log", self._credit_log, "GET"),
            ("/billing/transactions", self._transactions, "POST"),
            ("/billing/account-summary", self._summary, "GET"),
            ("/account/currency", self._currency, "GET"),
        )
        return Starlette(
            routes=[
                Route(path, self.around.locked(self._caught(answer)), methods=[method])
                for path, answer, method in routes
            ],
            exception_handlers={404: self._no_route, 405: self._no_route},
        )

    def credentials(self, account: Account) -> dict[str, str]:
        return {"apiKey": self._client(account).api_key}

    def issue(self, account: Account) -> dict[str, str]:
        self._issued += 1
        key = digits(40, self.around.seed, *account.holder.path, "key", self._issued)
        self._keys[key] = self._client(account)
        return {"apiKey": key}

    def expire(self, what: str) -> None:  # noqa: ARG002 - there is one kind of key only
        self._keys.clear()

    def failure(self, status: int, headers: Mapping[str, str]) -> Response:
        """Answer with an error; the one for too many requests has no `code`."""
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
        body: dict[str, Any] = {"error": title, "message": _MESSAGES.get(status, title)}
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            given = {name.lower(): value for name, value in headers.items()}
            body["retryAfter"] = given.get("retry-after", _RETRY_AFTER_SECONDS)
            headers = {"Retry-After": body["retryAfter"], **headers}
            return JSONResponse(body | {"requestId": str(uuid4())}, status, headers)
        code = "INTERNAL_ERROR" if status == HTTPStatus.INTERNAL_SERVER_ERROR else title
        body["code"] = code.upper().replace(" ", "_")
        return JSONResponse(body | self._stamp(), status, headers)

    def refusal(self, code: int) -> Response:  # noqa: ARG002 - there are no codes in a success
        return JSONResponse({"success": False, **self._stamp(), "data": None})

    def _credit_log(self, request: Request, _body: bytes) -> Response:
        client = self._caller(request)
        page = _page(request.query_params.get("page"))
        return self._listed(client, CREDIT_CHANGES, "log", page)

    def _transactions(self, request: Request, body: bytes) -> Response:
        client = self._caller(request)
        asked = json_object(body or b"{}")
        filters = None if asked is None else asked.get("filters", {})
        if not isinstance(filters, dict):
            raise HTTPException(400)
        page = _page(request.query_params.get("page", filters.get("page", 0)))
        return self._listed(client, PAYMENTS, "transactions", page)

    def _listed(self, client: HostUpAccount, stream: str, key: str, page: int) -> Response:
        rows = client.newest_first(stream)
        end = (page + 1) * PAGE_SIZE
        shown = [client.shown(stream, row) for row in rows[end - PAGE_SIZE : end]]
        return self._success({key: shown, "hasMore": end < len(rows)})

    def _summary(self, request: Request, _body: bytes) -> Response:
        client = self._caller(request)
        person = client.holder.person
        return self._success(
            {
                "credit": client.balance,
                "email": f"{person.reference.lower()}@customers.example",
                "firstname": person.first_name,
                "lastname": person.last_name,
                "country": "SE",
            }
        )

    def _currency(self, request: Request, _body: bytes) -> Response:
        current_id = self._caller(request).currency_id
        currencies = [currency | _FORMAT for currency in _CURRENCIES]
        known = next((each for each in currencies if each["id"] == current_id), currencies[0])
        return self._success(
            {
                "currentCurrencyId": known["id"],
                "currentCurrency": known | {"id": int(known["id"]), "rate": 1},
                "currencies": currencies,
                "canChangeCurrency": True,
                "changeLimit": 1,
            }
        )

    def _caller(self, request: Request) -> HostUpAccount:
        key = request.headers.get("x-api-key") or bearer(request)
        if key not in self._keys:
            raise HTTPException(401)
        return self._keys[key]

    def _client(self, account: Account) -> HostUpAccount:
        return next(each for each in self._clients.values() if each is account)

    def _caught(self, answer: Answer) -> Answer:
        def caught(request: Request, body: bytes) -> Response:
            try:
                return answer(request, body)
            except HTTPException as error:
                return self.failure(error.status_code, {})

        return caught

    async def _no_route(self, _request: Request, error: Exception) -> Response:
        return self.failure(error.status_code if isinstance(error, HTTPException) else 404, {})

    def _success(self, data: Mapping[str, Any]) -> Response:
        return JSONResponse({"success": True, **self._stamp(), "data": {**data, "success": True}})

    def _stamp(self) -> dict[str, str]:
        now = self.around.clock().astimezone(UTC).isoformat(timespec="milliseconds")
        return {"timestamp": now.replace("+00:00", "Z"), "requestId": str(uuid4())}


def _page(value: object) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise HTTPException(400)
    return int(text)
