"""Every place of every recorded answer damaged: our error, or the page as it was but there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from adapters import Hands, account, adapter
from damage import Damage, damages, differences
from recordings import recording, replaying
from upstreams import upstream

from app.model.entries import Stream
from app.model.errors import UpstreamError, UpstreamInvalidResponse
from app.providers.page import Page, Provider

CHANGES, PAYMENTS = Stream.CREDIT_CHANGES, Stream.PAYMENTS


@dataclass(frozen=True)
class Case:
    """An answer and what each of its places stands for in a page.

    `stands_for` lists the fields of its entry that may differ; a place that is not named may
    differ nowhere. `optional` places may be absent, all other named ones may not.
    """

    kind: str
    name: str
    stream: Stream
    rows: str
    stands_for: Mapping[str, tuple[str, ...]]
    optional: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def allows(self, damage: Damage, whole: Page, found: Page | UpstreamError) -> bool:
        if isinstance(found, UpstreamError):
            return isinstance(found, UpstreamInvalidResponse)
        if self.kind == "cloudreve" and (damage.pattern, damage.what) == (self.rows, "null"):
            return found == Page((), whole.next)  # which is how Go writes an empty list
        return not self.must_be_refused(damage) and not (
            differences(whole, found) - self.may_differ(damage)
        )

    def may_differ(self, damage: Damage) -> set[str]:
        name = damage.pattern.removeprefix(f"{self.rows}[].")
        if name == damage.pattern:
            return set(self.stands_for.get(name, ()))
        row = next(step for step in damage.path if isinstance(step, int))
        return {f"{row}.{field}" for field in self.stands_for.get(name, ())}

    def must_be_refused(self, damage: Damage) -> bool:
        name = damage.pattern.removeprefix(f"{self.rows}[].")
        asked_for = name in self.required or (name in self.stands_for and name not in self.optional)
        return asked_for and damage.is_of_wrong_type


CLOUDREVE_CHANGES = Case(
    "cloudreve",
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
)
CLOUDREVE_PAYMENTS = Case(
    "cloudreve",
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
)
HOSTUP_LOG = Case(
    "hostup",
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
            for name in ("date", "client_id", "description", "transaction_id", "invoice_id")
        },
    },
    required=frozenset(
        {"success", "timestamp", "requestId", "data"}
        | {f"data.{name}" for name in ("log", "log[]", "hasMore", "success")}
    ),
)
HOSTUP_TRANSACTIONS = Case(
    "hostup",
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
    optional=frozenset(
        {"type", "description", "module", "trans_id", "invoice_id", "client_id"}  # no document says
    ),
    required=frozenset({"success", "data", "data.transactions", "data.hasMore"}),
)
CARECLOUD_HISTORY = Case(
    "carecloud",
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
)


def tables(kind: str, name: str, stream: Stream, *required: str) -> Case:
    """Return the case of an answer that a page needs beside its own."""
    return Case(kind, name, stream, "-", {}, required=frozenset(required))


CASES = (
    CLOUDREVE_CHANGES,
    CLOUDREVE_PAYMENTS,
    HOSTUP_LOG,
    HOSTUP_TRANSACTIONS,
    CARECLOUD_HISTORY,
    tables(
        "cloudreve",
        "refresh",
        CHANGES,
        "code",
        "data",
        *(
            f"data.{name}"
            for name in ("access_token", "refresh_token", "access_expires", "refresh_expires")
        ),
    ),
    tables("hostup", "currency", CHANGES, "success", "data", "data.currencies"),
    tables("carecloud", "currencies", CHANGES, "data", "data.currencies"),
    tables("carecloud", "login", CHANGES, "data", "data.bearer_token", "data.valid_to"),
)


async def outcome(provider: Provider, clock: Hands, stream: Stream) -> Page | UpstreamError:
    """Read a page as if a third of a day later, so that nothing is remembered but a mistake."""
    clock.advance(timedelta(hours=8))
    try:
        return await provider.page(account(), stream, None)
    except UpstreamError as error:
        return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.name}")
async def test_damage_is_refused_or_stays_where_it_is(case: Case) -> None:
    clock, wrong, tried = Hands(), [], 0
    named = case.name.replace("-", "_")
    async with (
        upstream(replaying(case.kind)) as server,
        adapter(case.kind, server.url, clock=clock, **case.settings) as provider,
    ):
        whole = await outcome(provider, clock, case.stream)
        assert isinstance(whole, Page)
        for damage in damages(recording(case.kind, case.name)):
            server.answer = replaying(case.kind, **{named: damage.value})
            found = await outcome(provider, clock, case.stream)
            tried += 1
            if not case.allows(damage, whole, found):
                wrong.append((damage.path, damage.what, found))

    assert wrong == []
    assert tried > 40


@pytest.mark.parametrize(
    ("kind", "name", "place"),
    [
        ("cloudreve", "setting", "data.credit"),
        ("hostup", "account-summary", "data.credit"),
        ("hostup", "currency", "data.currencies"),
        ("carecloud", "credits-overview", "data.split_by_currency[].available_credits"),
        ("carecloud", "credits-overview", "data.split_by_currency[].currency_id"),
    ],
)
async def test_a_damaged_balance_is_refused_or_the_same(kind: str, name: str, place: str) -> None:
    clock, wrong, refused = Hands(), [], 0
    async with (
        upstream(replaying(kind)) as server,
        adapter(kind, server.url, clock=clock) as provider,
    ):
        whole = await provider.balance(account())
        for damage in damages(recording(kind, name)):
            clock.advance(timedelta(hours=8))
            server.answer = replaying(kind, **{name.replace("-", "_"): damage.value})
            try:
                found = await provider.balance(account())
            except UpstreamInvalidResponse:
                refused += damage.pattern == place
                continue
            # Go leaves a zero out, and so an absent credit is none.
            zero = (kind, damage.pattern, damage.what) == ("cloudreve", place, "removed")
            if damage.pattern == place and not zero:
                wrong.append((damage.path, damage.what, found))
            if found != whole and not zero:
                wrong.append((damage.path, damage.what, found))

    assert wrong == []
    assert refused >= 5
