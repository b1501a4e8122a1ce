"""CareCloud, as the tests know it."""

from zoneinfo import ZoneInfo

from app import sandbox
from app.model.entries import Stream
from app.providers.page import Capability
from kinds import Contract, Kind, Recorded

PASSWORD = "password-of-the-project"
CHANGES = Stream.CREDIT_CHANGES

KIND = Kind(
    credentials={"customerId": "838b73aacb5ac326cec4030c80"},
    settings={
        "time_zone": "Europe/Prague",
        "external_application_id": "app",
        "login": "gateway",
        "password": PASSWORD,
    },
    contract=Contract(
        frozenset({Capability.CREDIT_CHANGES, Capability.BALANCE}),
        {CHANGES: "credit_history_record_time"},
        ZoneInfo("Europe/Prague"),
        knows_order=False,
        settings={
            "page_size": 7,
            "external_application_id": sandbox.CARECLOUD_APPLICATION_ID,
            "login": sandbox.CARECLOUD_LOGIN,
            "password": sandbox.CARECLOUD_PASSWORD,
        },
    ),
    files={
        "/users/actions/login": "login",
        "/currencies": "currencies",
        "/credit-history": "credit-history",
        "/wallet/actions/credits-overview": "credits-overview",
    },
    recorded=(
        Recorded(
            "credit-history",
            CHANGES,
            "data.credit_history",
            {
                "credit_operation_type": ("id", "reason", "kind", "details.operation_type"),
                "credit_operation_note": ("id", "description", "details.note"),
                "partner_id": ("id", "details.partner_id"),
                "store_id": ("id", "details.store_id"),
                # Without a currency an amount is in credits, never in another currency.
                "currency_id": ("id", "amount.unit", "amount.kind", "details.currency_id"),
                "amount": (),
                "credit_history_record_time": (),
            },
            optional=frozenset(
                {"credit_operation_type", "credit_operation_note"}
                | {"partner_id", "store_id", "currency_id"}
            ),
            required=frozenset({"data", "data.credit_history", "data.total_items"}),
            amounts=frozenset({"amount"}),
        ),
        Recorded("currencies", CHANGES, required=frozenset({"data", "data.currencies"})),
        Recorded(
            "login",
            CHANGES,
            required=frozenset({"data", "data.bearer_token", "data.valid_to"}),
        ),
    ),
    balances=(
        ("credits-overview", "data.split_by_currency[].available_credits"),
        ("credits-overview", "data.split_by_currency[].currency_id"),
    ),
)
