"""
HostUp v1: credit log and transactions of the API key's account.

Source: developer.hostup.se, 2026-02; the system behind it looks like HostBill.
Pages:  `page` from 0; `hasMore` is the only end; newest first; rows shift when one is added.
Money:  decimal strings `in` and `out`, unsigned; the currency by `currency_id`.
Times:  local, without offset; the zone is configured.
Quirks: "0" means none; errors have no `success`, answers have two; one 429 has no `code`.
"""

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import ClassVar, Protocol, TypeVar

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
from app.model.errors import UpstreamInvalidResponse, UpstreamUnauthorized
from app.model.money import Money
from app.providers.call import Answer, Call
from app.providers.currencies import Currencies
from app.providers.http import Upstream
from app.providers.page import NO_PAGE, Capability, Page
from app.providers.payload import decoded, known, local_instants, translated
from app.providers.shapes import hostup as shapes
from app.providers.telling import Read, Told, reading, reading_anew
from app.redis.rates import Rates
from app.settings.providers import HostUpSettings

D = TypeVar("D")
R = TypeVar("R", shapes.LogRow, shapes.Transaction)
Units = Mapping[str, str]


class _Rows(Protocol[R]):
    rows: list[R]
    has_more: bool


STATUSES = {
    "success": PaymentStatus.PAID,
    "refunded": PaymentStatus.REFUNDED,
    "pending": PaymentStatus.PENDING,
    "canceled": PaymentStatus.CANCELED,
    "cancelled": PaymentStatus.CANCELED,
}
_CURRENT = "current"


class HostUp:
    kind: ClassVar = ProviderKind.HOSTUP
    capabilities: ClassVar = frozenset(Capability)

    def __init__(
        self,
        settings: HostUpSettings,
        store: CredentialStore,
        clock: Clock,
        rates: Rates | None = None,
        metrics: Metrics | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self.name = settings.name
        self.translation = f"1 {settings.base_url} {settings.time_zone}"
        self._zone = settings.time_zone
        self._store = store
        self._is_upstream_ours = upstream is None
        self.upstream = upstream or Upstream(settings, clock, rates, metrics)
        self.health = self.upstream.health
        self._currencies = Currencies(clock)

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        number = int(place or 0)
        headers = await self._headers(account)
        if stream is Stream.CREDIT_CHANGES:
            params: dict[str, str | int] = {"page": number}
            call = Call("GET", "/billing/credit-log", headers, params, credential=account.id)
            return await self._page(account, call, number, before, shapes.CreditLog, self._change)
        # Only the first page is documented; that `page` is a filter is how its sibling has it.
        filters = {"page": number} if number else {}
        body = {"filters": filters}
        call = Call("POST", "/billing/transactions", headers, json=body, credential=account.id)
        return await self._page(account, call, number, before, shapes.Transactions, self._payment)

    async def balance(self, account: Account) -> tuple[Money, ...]:
        headers = await self._headers(account)
        call = Call("GET", "/billing/account-summary", headers, credential=account.id)
        summary = await self._ask(call, reading(shapes.AccountSummary, self.name))
        # Read anew, as the account's currency can be changed; a row keeps its own.
        unit = (await self._read_units(account)).get(_CURRENT)
        if unit is None:
            raise UpstreamInvalidResponse(f"{self.name} does not list the account's currency.")
        return (Money(Decimal(summary.credit), unit),)

    async def aclose(self) -> None:
        await self._currencies.aclose()
        if self._is_upstream_ours:
            await self.upstream.aclose()

    async def _headers(self, account: Account) -> dict[str, str]:
        key = (await self._store.credentials(account.id))["apiKey"]
        if not key.isascii():  # which cannot even be sent
            raise UpstreamUnauthorized(f"{self.name} has no such API keys.")
        return {"X-API-Key": key}

    async def _page(
        self,
        account: Account,
        call: Call,
        number: int,
        before: Page,
        shape: type[_Rows[R]],
        translate: Callable[[R, Units], Entry],
    ) -> Page:
        read = reading_anew(shape, self.name, self._currencies.read_by(account.id, before))
        (digest, told), units = await self._with_units(account, self._ask(call, read), _listed)
        if told is None:
            return before
        entries = translated(told.rows, lambda row: translate(row, units), self.name)
        return Page(
            entries,
            str(number + 1) if told.has_more else None,
            shifts=True,
            digest=digest,
            units=self._currencies.known(account.id),
        )

    async def _ask(self, call: Call, read: Read[D]) -> D:
        return await self.upstream.ask(call, lambda answer: self._read(answer, read))

    def _read(self, answer: Answer, read: Read[D]) -> D:
        """Return the data of a success."""
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise UpstreamUnauthorized(f"{self.name} refuses the account's API key.")
        if answer.status != HTTPStatus.OK:
            raise UpstreamInvalidResponse(f"{self.name} answered HTTP {answer.status}.")
        envelope = decoded(answer.body, shapes.Envelope, self.name)
        if not envelope.success:
            raise UpstreamInvalidResponse(f"{self.name} answered without success.")
        return read(envelope.data)

    async def _with_units(
        self, account: Account, asked: Awaitable[D], ids_of: Callable[[D], set[str]]
    ) -> tuple[D, Units]:
        """Return what is asked for, and the ISO code of each currency id in it."""
        return await self._currencies.beside(
            account.id, lambda: self._read_units(account), asked, ids_of, self.name
        )

    async def _read_units(self, account: Account) -> dict[str, str]:
        headers = await self._headers(account)
        call = Call("GET", "/account/currency", headers, credential=account.id)
        answer = await self._ask(call, reading(shapes.Currencies, self.name))
        units = {str(currency.id): currency.iso for currency in answer.currencies}
        current = str(answer.current_currency_id)
        if answer.current_currency is not None:
            units.setdefault(current, answer.current_currency.iso)
        return {**units, _CURRENT: units[current]} if current in units else units

    def _change(self, row: shapes.LogRow, units: Units) -> Entry:
        at, at_second = local_instants(row.date, self._zone)
        unit = units[row.currency_id]
        return CreditChange(
            id=row.id,
            has_own_id=True,
            at=at,
            at_second=at_second,
            zone_assumed=True,
            amount=Money(Decimal(row.in_) - Decimal(row.out), unit),
            balance_after=Money(Decimal(row.balance), unit),
            kind=_kind(row),
            reason=row.description,
            description=known(row.description),
            details=row.details(),
        )

    def _payment(self, row: shapes.Transaction, units: Units) -> Entry:
        at, at_second = local_instants(row.date, self._zone)
        status = STATUSES.get(row.status.lower(), PaymentStatus.UNKNOWN)
        is_invoice = row.type.lower() == "invoice" or known(row.invoice_id, "0") is not None
        return Payment(
            id=row.id,
            has_own_id=True,
            at=at,
            at_second=at_second,
            zone_assumed=True,
            amount=Money(Decimal(row.in_) - Decimal(row.out), units[row.currency_id]),
            quantity=1,
            product=row.description,
            product_kind=ProductKind.INVOICE if is_invoice else ProductKind.OTHER,
            status=status,
            final=status not in {PaymentStatus.PENDING, PaymentStatus.UNKNOWN},
            reference=known(row.trans_id),
            details=row.details(),
        )


def _listed(told: Told[_Rows[R]]) -> set[str]:
    return {row.currency_id for row in told.data.rows} if told.data else set()


def _kind(row: shapes.LogRow) -> CreditChangeKind:
    """Read the kind from what the row links to; most rows say too little for more."""
    if known(row.admin_id, "0"):
        return CreditChangeKind.ADJUSTMENT
    if Decimal(row.out) and known(row.invoice_id, "0"):
        return CreditChangeKind.SPEND
    if Decimal(row.in_) and (known(row.transaction_id, "0") or known(row.transid)):
        return CreditChangeKind.TOP_UP
    return CreditChangeKind.OTHER
