"""Cloudreve, as the tests know it."""

from zoneinfo import ZoneInfo

from app.model.entries import Stream
from app.providers.page import Capability
from kinds import Contract, Kind, Recorded

CHANGES, PAYMENTS = Stream.CREDIT_CHANGES, Stream.PAYMENTS

KIND = Kind(
    credentials={"refreshToken": "refresh-token-of-anna"},
    contract=Contract(
        frozenset(Capability),
        {CHANGES: "changed_at", PAYMENTS: "created_at"},
        ZoneInfo("UTC"),
        settings={"page_size": 10},
    ),
    files={
        "/session/token/refresh": "refresh",
        "/user/creditChanges": "credit-changes",
        "/user/payments": "payments",
        "/user/setting": "setting",
    },
    recorded=(
        Recorded(
            "credit-changes",
            CHANGES,
            "data.changes",
            {
                "changed_at": (),
                "diff": (),
                "reason": ("reason", "kind", "id", "details.reason"),
                "data.pagination.next_token": ("next",),
            },
            optional=frozenset({"data.pagination.next_token"}),
            required=frozenset({"code", "data", "data.pagination", "data.pagination.page"}),
            amounts=frozenset({"diff"}),
        ),
        Recorded(
            "payments",
            PAYMENTS,
            "data.payments",
            {
                "id": ("id", "details.payment_id"),
                "trade_no": ("reference", "details.trade_no"),
                "name": ("product",),
                "status": ("status", "final", "details.status"),
                "qyt": (),
                # An absent price is zero and no unit price; see the amount rules of the facts.
                "price_unit": (
                    *("amount.amount", "details.price_unit", "unit_price"),
                    *(f"unit_price.{part}" for part in ("amount", "unit", "kind")),
                ),
                "price_id": (),
                "price_mark": ("details.price_mark",),
                "price_one_unit": (),
                "created_at": (),
                "updated_at": (),
                "product_type": (),
            },
            optional=frozenset({"price_unit", "price_mark", "price_id"}),
            required=frozenset({"code", "data", "data.pagination", "data.pagination.page_size"}),
            amounts=frozenset({"qyt", "price_unit"}),
        ),
        Recorded(
            "refresh",
            CHANGES,
            required=frozenset(
                {"code", "data", "data.access_token", "data.refresh_token"}
                | {"data.access_expires", "data.refresh_expires"}
            ),
        ),
    ),
    balances=(("setting", "data.credit"),),
)
