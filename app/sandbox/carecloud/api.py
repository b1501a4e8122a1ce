"""
CareCloud REST v1.0, enterprise interface: login, credit history, currencies and overview.

Lists are read by `count` and `offset`, ascending unless `DESC` is asked for. Times are local
and without a zone; names of operations are Czech unless English is asked for first.
"""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox.carecloud.account import TIME_FIELD, CareCloudAccount, shown
from app.sandbox.carecloud.answers import Refused, failure, invalid, shell, unknown
from app.sandbox.carecloud.logins import LOGIN_FIELDS, Logins
from app.sandbox.carecloud.overview import overview
from app.sandbox.carecloud.query import (
    RECORD_FIELDS,
    customer_id,
    day,
    english_asked,
    matching,
    slice_of,
)
from app.sandbox.carecloud.samples import CURRENCIES
from app.sandbox.history import Account
from app.sandbox.people import CARECLOUD, Holder
from app.sandbox.upstream import Answer, Surroundings, Upstream, bearer, json_object


class CareCloudProject(Upstream):
    name = CARECLOUD
    base_path = "/carecloud/webservice/rest-api/enterprise-interface/v1.0"

    def __init__(self, around: Surroundings, holders: list[Holder], entries: int) -> None:
        super().__init__(around)
        customers = (CareCloudAccount(holder, around.seed, entries) for holder in holders)
        self._customers = {customer.customer_id: customer for customer in customers}
        self.logins = Logins(around)

    @property
    def accounts(self) -> Mapping[str, CareCloudAccount]:
        return self._customers

    def app(self) -> Starlette:
        routes = (
            ("/users/actions/login", self._login, "POST"),
            ("/credit-history", self._authorized(self._credit_history), "GET"),
            ("/currencies", self._authorized(self._currencies), "GET"),
            ("/wallet/actions/credits-overview", self._authorized(self._overview), "GET"),
        )
        return Starlette(
            routes=[
                Route(path, self.around.locked(_caught(answer)), methods=[method])
                for path, answer, method in routes
            ],
            exception_handlers={404: _no_route, 405: _no_method},
        )

    def credentials(self, account: Account) -> dict[str, str]:
        ids = (key for key, customer in self._customers.items() if customer is account)
        return {"customerId": next(ids)}

    def issue(self, account: Account) -> dict[str, str]:
        return self.credentials(account)

    def expire(self, what: str) -> None:
        if what != "refresh":
            self.logins.expire()

    def failure(self, status: int, headers: Mapping[str, str]) -> Response:
        return failure(status, {}, headers)

    def refusal(self, code: int) -> Response:  # noqa: ARG002 - there are no codes in a success
        return JSONResponse(shell(500, {}))

    def _login(self, _request: Request, body: bytes) -> Response:
        given = json_object(body) or {}
        missing = [name for name in LOGIN_FIELDS if not isinstance(given.get(name), str)]
        if missing:
            raise invalid(missing[0], "required")
        answer = self.logins.log_in(given)
        if answer is None:
            raise Refused(401)
        return JSONResponse({"data": answer})

    def _credit_history(self, request: Request, _body: bytes) -> Response:
        query = request.query_params
        asked = slice_of(query, RECORD_FIELDS, TIME_FIELD)
        english = english_asked(request.headers.get("accept-language", ""))
        customer = self._customer(query)
        rows = [shown(row, english=english) for row in customer.oldest_first()]
        found = matching(query, rows)
        return _listed("credit_history", asked.of(found), len(found))

    def _currencies(self, request: Request, _body: bytes) -> Response:
        rows = [
            {"currency_id": key, "name": code, "code": code} for key, code in CURRENCIES.items()
        ]
        asked = slice_of(request.query_params, ("currency_id", "name", "code"), "currency_id")
        return _listed("currencies", asked.of(rows), len(rows))

    def _overview(self, request: Request, _body: bytes) -> Response:
        query = request.query_params
        days = day(query, "date_from"), day(query, "date_to")
        rows = self._customer(query).oldest_first()
        return JSONResponse({"data": overview(rows, *days)})

    def _customer(self, query: Mapping[str, str]) -> CareCloudAccount:
        asked = customer_id(query)
        if asked not in self._customers:
            raise unknown("customers", asked)
        return self._customers[asked]

    def _authorized(self, answer: Answer) -> Answer:
        def authorized(request: Request, body: bytes) -> Response:
            if not self.logins.knows(bearer(request)):
                raise Refused(401)
            return answer(request, body)

        return authorized


def _caught(answer: Answer) -> Answer:
    def caught(request: Request, body: bytes) -> Response:
        try:
            return answer(request, body)
        except Refused as refused:
            return failure(refused.status, refused.error_data)

    return caught


def _listed(key: str, rows: list[dict[str, Any]], total: int) -> Response:
    return JSONResponse({"data": {key: rows, "total_items": total}})


async def _no_route(request: Request, _error: Exception) -> Response:
    return failure(404, {"resource_name": request.url.path.rpartition("/")[2], "resource_id": ""})


async def _no_method(request: Request, _error: Exception) -> Response:
    return failure(405, {"http_method": request.method})
