"""
Cloudreve v4 Pro: credit changes and payments of the token's user.

Source: cloudrevev4.apifox.cn and the repositories of cloudreve, 2025-06 to 2026-08.
Pages:  cursors, out as `next_token` and in as `next_page_token`; absent at the end; `desc` always.
Money:  whole points; payments in minor units by `price_one_unit`, or points without `price_id`.
Times:  RFC 3339 with an offset; exact.
Quirks: failures are HTTP 200 with a `code`; changes have no id; zero values are left out.
"""

from collections.abc import Mapping
from decimal import Context, Decimal, Inexact
from typing import ClassVar, TypeVar

from msgspec import UNSET

from app.metrics.metrics import Metrics
from app.model.accounts import Account, CredentialStore, ProviderKind
from app.model.clock import Clock
from app.model.entries import (
    CreditChange,
    CreditChangeKind,
    Entry,
    Payment,
    PaymentStatus,
    ProductKind,
    Stream,
)
from app.model.errors import UpstreamInvalidResponse
from app.model.money import Money, UnitKind
from app.providers.call import Call
from app.providers.cloudreve_outcomes import data_of
from app.providers.cloudreve_tokens import Session
from app.providers.http import Upstream
from app.providers.page import NO_PAGE, Capability, Page
from app.providers.payload import digest, in_utc, translated
from app.providers.shapes import cloudreve as shapes
from app.providers.telling import Read, reading, reading_anew
from app.redis.rates import Rates
from app.settings.providers import CloudreveSettings

D = TypeVar("D")

KINDS = {
    "recharge": CreditChangeKind.TOP_UP,
    "pay": CreditChangeKind.SPEND,
    "share_purchased": CreditChangeKind.EARNING,
    "adjust": CreditChangeKind.ADJUSTMENT,
}
STATUSES = {
    "created": PaymentStatus.PENDING,
    "paid": PaymentStatus.PAID,
    "fulfilled": PaymentStatus.FULFILLED,
    "fulfill_failed": PaymentStatus.FULFILLMENT_FAILED,
    "canceled": PaymentStatus.CANCELED,
}
PRODUCTS = {
    1: ProductKind.SHARE,
    2: ProductKind.MEMBERSHIP,
    3: ProductKind.STORAGE,
    4: ProductKind.POINTS,
}


class Cloudreve:
    kind: ClassVar = ProviderKind.CLOUDREVE
    capabilities: ClassVar = frozenset(Capability)

    def __init__(
        self,
        settings: CloudreveSettings,
        store: CredentialStore,
        clock: Clock,
        rates: Rates | None = None,
        metrics: Metrics | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self.name = settings.name
        self.translation = f"1 {settings.base_url} {settings.points_unit}"
        self._page_size = settings.page_size
        self._points = settings.points_unit
        # Cloudreve has no limits: what asks for fewer calls is a proxy before it, which sees the
        # gateway's address and no accounts.
        self._is_upstream_ours = upstream is None
        self.upstream = upstream or Upstream(settings, clock, rates, metrics, pauses_all=True)
        self.health = self.upstream.health
        self._session = Session(self.upstream, store, clock, settings.timeout)

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        params: dict[str, str | int] = {"page_size": self._page_size, "order_direction": "desc"}
        if place is not None:
            params["next_page_token"] = place
        if stream is Stream.CREDIT_CHANGES:
            read = reading_anew(shapes.Changes, self.name, before.digest)
            digest, changes = await self._get(account, "/user/creditChanges", params, read)
            if changes is None:
                return before
            entries = translated(changes.changes or [], self._change, self.name)
            return Page(entries, changes.pagination.next_token or None, digest=digest)
        read_paid = reading_anew(shapes.Payments, self.name, before.digest)
        digest, payments = await self._get(account, "/user/payments", params, read_paid)
        if payments is None:
            return before
        paid = translated(payments.payments or [], self._payment, self.name)
        return Page(paid, payments.pagination.next_token or None, digest=digest)

    async def balance(self, account: Account) -> tuple[Money, ...]:
        read = reading(shapes.Preferences, self.name)
        preferences = await self._get(account, "/user/setting", {}, read)
        if preferences.credit is not UNSET:
            return (Money(Decimal(preferences.credit), self._points, UnitKind.POINTS),)
        if preferences.version_retention_enabled is UNSET:
            raise UpstreamInvalidResponse(f"{self.name} answered other preferences than a user's.")
        return (Money(Decimal(0), self._points, UnitKind.POINTS),)

    async def aclose(self) -> None:
        await self._session.aclose()
        if self._is_upstream_ours:
            await self.upstream.aclose()

    async def _get(
        self, account: Account, path: str, params: Mapping[str, str | int], read: Read[D]
    ) -> D:
        """Ask with the account's access token."""

        async def ask(token: str) -> D:
            headers = {"Authorization": f"Bearer {token}"}
            call = Call("GET", path, headers, params, credential=account.id)
            with_place = "next_page_token" in params
            return await self.upstream.ask(
                call, lambda answer: data_of(answer, read, self.name, with_place=with_place)
            )

        return await self._session.used(account.id, ask)

    def _change(self, row: shapes.Change) -> Entry:
        at = in_utc(row.changed_at)
        return CreditChange(
            id=digest(at, row.diff, row.reason),
            has_own_id=False,
            at=at,
            zone_assumed=False,
            amount=Money(Decimal(row.diff), self._points, UnitKind.POINTS),
            kind=KINDS.get(row.reason, CreditChangeKind.OTHER),
            reason=row.reason,
            details={"reason": row.reason},
        )

    def _payment(self, row: shapes.Payment) -> Entry:
        """Translate a payment; a price that was left out is zero, as Go leaves zeros out."""
        status = STATUSES.get(row.status, PaymentStatus.UNKNOWN)
        return Payment(
            id=row.id,
            has_own_id=True,
            at=in_utc(row.created_at),
            updated_at=in_utc(row.updated_at),
            zone_assumed=False,
            amount=self._price(row, row.qyt),
            unit_price=None if row.price_unit is None else self._price(row, 1),
            quantity=row.qyt,
            product=row.name,
            product_kind=PRODUCTS.get(row.product_type, ProductKind.OTHER),
            status=status,
            final=status in {PaymentStatus.FULFILLED, PaymentStatus.CANCELED},
            reference=row.trade_no or None,
            details=row.details(),
        )

    def _price(self, row: shapes.Payment, quantity: int) -> Money:
        minor = Decimal((row.price_unit or 0) * quantity)
        if not row.price_id:
            if row.price_mark:
                raise ValueError("a currency's symbol without the currency")
            return Money(minor, self._points, UnitKind.POINTS)
        if not isinstance(row.price_one_unit, int) or row.price_one_unit < 1:
            raise ValueError("a price in a currency without its minor unit")
        return Money(_divided(minor, row.price_one_unit), row.price_id)


def _divided(minor: Decimal, one_unit: int) -> Decimal:
    """Return major units with the digits the currency has; ArithmeticError if inexact."""
    digits = len(str(one_unit)) - 1
    if one_unit == 10**digits:
        return minor.scaleb(-digits)
    return Context(prec=60, traps=[Inexact]).divide(minor, Decimal(one_unit))
