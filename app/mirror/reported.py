"""Reads what providers say that accounts hold, and keeps it like a mirror."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

import msgspec

from app.metrics.metrics import Metrics
from app.mirror.codecs import read
from app.mirror.documents import Demand, Freshness, Known, Name, Served
from app.mirror.keeper import Keeper
from app.mirror.outcomes import Mark, noted
from app.mirror.store import DocumentStore, Encoded, Found, name_of
from app.model.accounts import Account
from app.model.clock import Clock
from app.model.money import Money
from app.providers.page import Provider
from app.redis.changes import Changes

KIND = "balance"


@dataclass(frozen=True)
class Statement:
    """What a provider said at that time that an account holds, one amount for each unit."""

    amounts: tuple[Money, ...]
    read_at: datetime
    version: str

    @property
    def weight(self) -> int:
        """About how many bytes it takes in memory."""
        return 500 + 500 * len(self.amounts)

    @property
    def block_names(self) -> tuple[str, ...]:
        return ()


class Reported:
    """The balances of all accounts; `mark` records whether credentials are still accepted."""

    def __init__(
        self,
        store: DocumentStore,
        changes: Changes,
        providers: Mapping[str, Provider],
        freshness: Mapping[str, Freshness],
        mark: Mark,
        clock: Clock,
        metrics: Metrics | None = None,
    ) -> None:
        self._providers = providers
        self._freshness = freshness
        self._mark = mark
        self._clock = clock
        self._keeper = Keeper(KIND, store, changes, StatementCodec(), clock, metrics)

    async def read(self, account: Account, demand: Demand | None = None) -> Served[Statement]:
        """Return what an account holds as it may be told now; raises `UpstreamError`."""
        name = self._name(account)

        def renew(as_of: datetime) -> asyncio.Task[Statement]:
            purpose = f"refresh as of {as_of}" if demand and demand.urgent else "refresh"
            return self._keeper.flights.start(
                name.text, purpose, lambda: self._renew(account, as_of)
            )

        return await self._keeper.serve(name, self._freshness[account.provider], demand, renew)

    async def purge(self, account_id: str, revision: int) -> None:
        """Take what is known of an account away, in all processes; raises `RedisAway`."""
        await self._keeper.purge(name_of(account_id, KIND, revision))

    async def settle(self, patience: timedelta) -> None:
        """Let the calls under way end by themselves, for so long."""
        await self._keeper.flights.settle(patience)

    async def aclose(self) -> None:
        """End the calls under way."""
        await self._keeper.aclose()

    def _name(self, account: Account) -> Name:
        translation = self._providers[account.provider].translation
        return Name(name_of(account.id, KIND, account.revision), translation)

    async def _renew(self, account: Account, as_of: datetime) -> Statement:
        name = self._name(account)

        async def work(known: Known[Statement]) -> Statement:
            now = self._clock()
            async with noted(self._keeper, name, account, self._mark, "balance"):
                amounts = await self._providers[account.provider].balance(account)
            statement = Statement(amounts, now, token_hex(8))
            await self._keeper.keep(name, known, statement, is_last=True)
            return statement

        return await self._keeper.in_turn(name, lambda known: known.read_at >= as_of, work)


class _State(msgspec.Struct, frozen=True, array_like=True):
    translation: str
    amounts: tuple[Money, ...]
    read_at: datetime


class StatementCodec:
    """Writes and reads statements, each in one piece."""

    def encoded(self, document: Statement, translation: str, stored: Statement | None) -> Encoded:  # noqa: ARG002
        state = _State(translation, document.amounts, document.read_at)
        return Encoded(document.version, msgspec.msgpack.encode(state), {})

    def decoded(self, found: Found, translation: str, known: Statement | None) -> Statement | None:  # noqa: ARG002
        state = read(found.state, _State)
        if state is None or found.version is None or state.translation != translation:
            return None
        return Statement(state.amounts, state.read_at, found.version)
