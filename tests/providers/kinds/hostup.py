"""HostUp, as the tests know it."""

from zoneinfo import ZoneInfo

from app.model.entries import Stream
from app.providers.page import Capability
from kinds import Contract, Kind, Recorded

CHANGES, PAYMENTS = Stream.CREDIT_CHANGES, Stream.PAYMENTS

KIND = Kind(
    credentials={"apiKey": "api-key-of-anna"},
    contract=Contract(
        frozenset(Capability),
        {CHANGES: "date", PAYMENTS: "date"},
        ZoneInfo("Europe/Stockholm"),
    ),
    files={
        "/account/currency": "currency",
        "/billing/credit-log": "credit-log",
        "/billing/transactions": "transactions",
        "/billing/account-summary": "account-summary",
    },
    recorded=(
        Recorded(
            "credit-log",
            CHANGES,
            "data.log",
            {
                "id": ("id", "details.entry_id"),
                "client_id": ("details.client_id",),
                "description": ("reason", "description"),
                "invoice_id": ("details.invoice_id",),
                "transaction_id": ("details.transaction_id",),
                "admin_id": ("details.admin_id", "kind"),
                "admin_name": ("details.admin_name",),
                "firstname": ("details.client_first_name",),
                "lastname": ("details.client_last_name",),
                "transid": ("details.gateway_reference",),
                "brand_id": ("details.brand_id",),
                "client_brand_id": ("details.client_brand_id",),
                **dict.fromkeys(("date", "in", "out", "balance", "currency_id", "data_edit"), ()),
                **dict.fromkeys((f"data_edit.{name}" for name in ("in", "out", "balance")), ()),
                "data_edit.id": ("details.edit.entry_id",),
                **{
                    f"data_edit.{name}": (f"details.edit.{name}",)
                    for name in ("date", "client_id", "description")
                },
                **{
                    f"data_edit.{name}": (f"details.edit.{name}",)
                    for name in ("transaction_id", "invoice_id")
                },
            },
            required=frozenset(
                {"success", "timestamp", "requestId", "data"}
                | {f"data.{name}" for name in ("log", "log[]", "hasMore", "success")}
            ),
            amounts=frozenset({"in", "out", "balance"}),
        ),
        Recorded(
            "transactions",
            PAYMENTS,
            "data.transactions",
            {
                "id": ("id", "details.transaction_id"),
                "status": ("status", "final", "details.status"),
                "type": ("details.type",),
                "description": ("product",),
                "module": ("details.method",),
                "trans_id": ("reference",),
                "invoice_id": ("details.invoice_id", "product_kind"),
                "client_id": ("details.client_id",),
                **dict.fromkeys(("date", "in", "out", "fee", "currency_id"), ()),
            },
            # No document says which of them there always are.
            optional=frozenset(
                {"type", "description", "module", "trans_id", "invoice_id", "client_id"}
            ),
            required=frozenset({"success", "data", "data.transactions", "data.hasMore"}),
            amounts=frozenset({"in", "out", "fee"}),
        ),
        Recorded("currency", CHANGES, required=frozenset({"success", "data", "data.currencies"})),
    ),
    balances=(("account-summary", "data.credit"), ("currency", "data.currencies")),
)
