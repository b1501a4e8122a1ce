"""
CareCloud REST v1.0, enterprise interface: credit history of the customer that is linked.

Source: crmcarecloud/api-spec and carecloud.readme.io, 2026-08.
Pages:  `count`, `offset`, `total_items`; the window is frozen by `time_to` on the first page.
Money:  JSON floats, read exactly; the currency by `currency_id`; the sign rule is configured.
Times:  project-local, without offset; the zone is configured.
Quirks: no ids; Czech unless `Accept-Language` is sent; 429 and 503 have no body.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, TypeVar

from app.metrics.metrics import Metrics
from app.model.accounts import Account, CredentialStore, ProviderKind
from app.model.clock import Clock
from app.model.entries import CreditChange, CreditChangeKind, Entry, Stream
from app.model.errors import PlaceLost
from app.model.money import Money, UnitKind
from app.providers.call import Call
from app.providers.carecloud_login import Login
from app.providers.carecloud_outcomes import LoginRefused, data_of
from app.providers.currencies import Currencies
from app.providers.http import Upstream
from app.providers.page import NO_PAGE, Capability, Page
from app.providers.payload import (
    digest,
    exact,
    known,
    local_instants,
    normal,
    translated,
)
from app.providers.shapes import carecloud as shapes
from app.providers.telling import Read, Told, reading, reading_anew
from app.redis.rates import Rates
from app.settings.providers import CareCloudSettings

D = TypeVar("D")

_TIME = "%Y-%m-%d %H:%M:%S"
# The unit of entries that name no currency: never added to any currency's amounts.
_NO_CURRENCY = "credits"
_ALL = "all"
# Answers are declared to have at most this many.
_MOST_ROWS = 1000
# Enough for a whole instant, by which a list that has moved is joined without another call.
_OVERLAP = 8


class CareCloud:
    kind: ClassVar = ProviderKind.CARECLOUD
    capabilities: ClassVar = frozenset({Capability.CREDIT_CHANGES, Capability.BALANCE})

    def __init__(
        self,
        settings: CareCloudSettings,
        store: CredentialStore,
        clock: Clock,
        rates: Rates | None = None,
        metrics: Metrics | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self.name = settings.name
        self.translation = digest(
            1,
            settings.base_url,
            str(settings.time_zone),
            settings.language,
            sorted(settings.operation_kinds.items()),
            sorted(settings.negative_operations),
        )
        self._settings = settings
        self._zone = settings.time_zone
        self._store = store
        self._clock = clock
        self._is_upstream_ours = upstream is None
        self.upstream = upstream or Upstream(settings, clock, rates, metrics)
        self.health = self.upstream.health
        self._login = Login(settings, self.upstream, clock)
        self._currencies = Currencies(clock)

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        """Read one page; it overlaps the page before, which shows whether the list has moved."""
        if stream is not Stream.CREDIT_CHANGES:
            raise NotImplementedError(stream)
        offset, time_to = self._place(place)
        overlap = min(offset, _OVERLAP)
        asked = self._get(
            "/credit-history",
            {
                "customer_id": await self._customer_id(account),
                "count": min(self._settings.page_size + overlap, _MOST_ROWS),
                "offset": offset - overlap,
                "sort_field": "credit_history_record_time",
                "sort_direction": "DESC",
                "time_to": time_to,
            },
            reading_anew(shapes.CreditHistory, self.name, self._currencies.read_by(_ALL, before)),
            of=account.id,
        )
        (digest, history), units = await self._with_units(asked, _listed)
        if history is None:
            return before
        rows = history.credit_history
        entries = translated(rows, lambda row: self._change(row, units), self.name)
        seen = offset - overlap + len(rows)
        if seen < history.total_items and len(rows) <= overlap:
            raise PlaceLost(f"{self.name} ends before the entries it counts.")
        more = seen < history.total_items
        return Page(
            entries,
            f"{seen} {time_to}" if more else None,
            overlap,
            history.total_items,
            digest=digest,
            units=self._currencies.known(_ALL),
        )

    async def balance(self, account: Account) -> tuple[Money, ...]:
        params: dict[str, str | int] = {"customer_id": await self._customer_id(account)}
        path = "/wallet/actions/credits-overview"
        read = reading(shapes.CreditsOverview, self.name)
        asked = self._get(path, params, read, of=account.id)
        overview, units = await self._with_units(asked, _split)
        split = overview.split_by_currency
        return translated(
            split,
            lambda part: Money(exact(part.available_credits), units[part.currency_id]),
            self.name,
        )

    async def aclose(self) -> None:
        await self._currencies.aclose()
        await self._login.aclose()
        if self._is_upstream_ours:
            await self.upstream.aclose()

    def _place(self, place: str | None) -> tuple[int, str]:
        """Return where to read on, in a window that is frozen when the first page is read."""
        if place is not None:
            offset, time_to = place.split(" ", 1)
            return int(offset), time_to
        now = self._clock().astimezone(self._zone)
        # In the second pass of the repeated hour the first pass may show later times than now.
        wall = now.replace(tzinfo=None) + timedelta(hours=now.fold)
        return 0, wall.strftime(_TIME)

    async def _customer_id(self, account: Account) -> str:
        return (await self._store.credentials(account.id))["customerId"]

    async def _get(self, path: str, params: dict[str, str | int], read: Read[D], of: str = "") -> D:
        """Ask with the provider's login; log in once more when it is refused."""

        async def ask(token: str) -> D:
            headers = {
                "Authorization": f"Bearer {token}",
                "Accept-Language": self._settings.language,
            }
            call = Call("GET", path, headers, params, of=of)
            return await self.upstream.ask(call, lambda answer: data_of(answer, read, self.name))

        token = await self._login.token()
        try:
            return await ask(token)
        except LoginRefused:
            return await ask(await self._login.renewed(refused=token))

    async def _with_units(
        self, asked: Awaitable[D], ids_of: Callable[[D], set[str]]
    ) -> tuple[D, dict[str, str]]:
        """Return what is asked for, and the ISO code of each currency id in it."""

        async def load() -> dict[str, str]:
            answer = await self._get("/currencies", {}, reading(shapes.Currencies, self.name))
            return {currency.currency_id: currency.code for currency in answer.currencies}

        return await self._currencies.beside(_ALL, load, asked, ids_of, self.name)

    def _change(self, row: shapes.Record, units: dict[str, str]) -> Entry:
        at, at_second = local_instants(row.credit_history_record_time, self._zone)
        operation = row.credit_operation_type or ""
        amount = exact(row.amount)
        return CreditChange(
            id=digest(
                row.credit_history_record_time,
                normal(amount),
                operation,
                row.credit_operation_note,
                row.partner_id,
                row.store_id,
                row.currency_id,
            ),
            has_own_id=False,
            at=at,
            at_second=at_second,
            zone_assumed=True,
            amount=self._signed(amount, row, units),
            kind=self._settings.operation_kinds.get(operation, CreditChangeKind.OTHER),
            reason=operation,
            description=known(row.credit_operation_note),
            details=row.details(),
        )

    def _signed(self, amount: Decimal, row: shapes.Record, units: dict[str, str]) -> Money:
        if row.credit_operation_type in self._settings.negative_operations:
            amount = -abs(amount)
        if not row.currency_id:
            return Money(amount, _NO_CURRENCY, UnitKind.POINTS)
        return Money(amount, units[row.currency_id])


def _listed(told: Told[shapes.CreditHistory]) -> set[str]:
    rows = told.data.credit_history if told.data else []
    return {row.currency_id for row in rows if row.currency_id}


def _split(overview: shapes.CreditsOverview) -> set[str]:
    return {part.currency_id for part in overview.split_by_currency}
