"""
A GraphQL server as one writes it at first: Strawberry, FastAPI, httpx, and no cache of data.

Each request asks the three upstreams side by side and merges what they answer; parsed and validated
documents are kept. Arguments: port, and a JSON file that says how to ask.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import httpx
import strawberry
import uvicorn
from fastapi import FastAPI, Request
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.fastapi import GraphQLRouter

Row = Mapping[str, Any]
Info = strawberry.Info[dict[str, Any], None]

_STOCKHOLM = ZoneInfo("Europe/Stockholm")
_PRAGUE = ZoneInfo("Europe/Prague")
_REASONS = {
    "recharge": "TOP_UP",
    "pay": "SPEND",
    "share_purchased": "EARNING",
    "adjust": "ADJUSTMENT",
}


@strawberry.type
class Money:
    amount: str
    unit: str


@strawberry.type
class Provider:
    name: str
    kind: str


@strawberry.type
class Account:
    label: str
    provider: Provider


@strawberry.type
class CreditChange:
    id: strawberry.ID
    occurred_at: str
    amount: Money
    balance_after: Money | None
    kind: str
    reason: str
    description: str | None
    account: Account


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class HistorySource:
    state: str
    account: Account


@strawberry.type
class CreditChangeConnection:
    nodes: list[CreditChange]
    page_info: PageInfo
    sources: list[HistorySource]


_CLOUD = Account(label="Cloud drive", provider=Provider(name="cloud", kind="CLOUDREVE"))
_HOSTING = Account(label="Hosting", provider=Provider(name="hosting", kind="HOSTUP"))
_LOYALTY = Account(label="Loyalty card", provider=Provider(name="loyalty", kind="CARECLOUD"))


@strawberry.type
class Customer:
    display_name: str

    @strawberry.field
    async def credit_changes(self, info: Info, first: int) -> CreditChangeConnection:
        cloud, hosting, loyalty = await asyncio.gather(
            *(_asked(info.context["http"], one) for one in info.context["upstreams"])
        )
        units = info.context["units"]
        rows = [_cloud(row) for row in cloud["data"]["changes"]]
        rows += [_hosting(row) for row in hosting["data"]["log"]]
        rows += [_loyalty(row, units) for row in loyalty["data"]["credit_history"]]
        rows.sort(key=lambda row: row.occurred_at, reverse=True)
        page = rows[:first]
        return CreditChangeConnection(
            nodes=page,
            page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=page[-1].id),
            sources=[
                HistorySource(state="FRESH", account=one) for one in (_CLOUD, _HOSTING, _LOYALTY)
            ],
        )


@strawberry.type
class Query:
    @strawberry.field
    def customer(self, reference: str) -> Customer | None:
        return Customer(display_name=reference)


async def _asked(http: httpx.AsyncClient, upstream: Mapping[str, Any]) -> dict[str, Any]:
    response = await http.get(upstream["url"], headers=upstream["headers"])
    response.raise_for_status()
    answer: dict[str, Any] = response.json(parse_float=Decimal)
    return answer


def _cloud(row: Row) -> CreditChange:
    at = datetime.fromisoformat(row["changed_at"]).astimezone(UTC)
    return CreditChange(
        id=strawberry.ID(f"cloud {at} {row['diff']}"),
        occurred_at=_written(at),
        amount=Money(amount=str(row["diff"]), unit="points"),
        balance_after=None,
        kind=_REASONS.get(row["reason"], "OTHER"),
        reason=row["reason"],
        description=None,
        account=_CLOUD,
    )


def _hosting(row: Row) -> CreditChange:
    amount = Decimal(row["in"]) - Decimal(row["out"])
    kind = "OTHER"
    if row["admin_id"] != "0":
        kind = "ADJUSTMENT"
    elif Decimal(row["out"]) and row["invoice_id"] != "0":
        kind = "SPEND"
    elif Decimal(row["in"]) and row["transaction_id"] != "0":
        kind = "TOP_UP"
    return CreditChange(
        id=strawberry.ID(f"hosting {row['id']}"),
        occurred_at=_written(_in(row["date"], _STOCKHOLM)),
        amount=Money(amount=str(amount), unit="SEK"),
        balance_after=Money(amount=row["balance"], unit="SEK"),
        kind=kind,
        reason=row["description"],
        description=row["description"],
        account=_HOSTING,
    )


def _loyalty(row: Row, units: Mapping[str, str]) -> CreditChange:
    at = _in(row["credit_history_record_time"], _PRAGUE)
    unit = units[row["currency_id"]] if row.get("currency_id") else "credits"
    return CreditChange(
        id=strawberry.ID(f"loyalty {at} {row['amount']}"),
        occurred_at=_written(at),
        amount=Money(amount=str(row["amount"]), unit=unit),
        balance_after=None,
        kind="OTHER",
        reason=row["credit_operation_type"],
        description=row.get("credit_operation_note") or None,
        account=_LOYALTY,
    )


def _in(local: str, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def create_app(how: Mapping[str, Any]) -> FastAPI:
    """Return the application; `how` has the upstreams with their headers, and units by id."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False) as http:
            app.state.http = http
            yield

    def context(request: Request) -> dict[str, Any]:
        return {"http": request.app.state.http, **how}

    app = FastAPI(lifespan=lifespan)
    schema = strawberry.Schema(query=Query, extensions=[ParserCache, ValidationCache])
    router = cast(Any, GraphQLRouter)(schema, "/graphql", context_getter=context)
    app.include_router(router)
    return app


if __name__ == "__main__":
    uvicorn.run(
        create_app(json.loads(Path(sys.argv[2]).read_text())),
        port=int(sys.argv[1]),
        access_log=False,
        log_level="warning",
    )
