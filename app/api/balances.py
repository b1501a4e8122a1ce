"""
Answers what accounts hold: what their providers report, beside what their histories add up to.

A difference may be no more than an entry that came between the two readings; so both are read again
at one time before it is told. One that stays has the history read anew, once.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from app.api.deadline import Deadline
from app.api.histories import SourceState
from app.history.balances import Holding, drift_of, holdings
from app.mirror.documents import Demand, Served
from app.mirror.mirror import Mirror
from app.mirror.reading import Reading
from app.mirror.reported import KIND, Reported, Statement
from app.mirror.store import name_of
from app.model.accounts import Account
from app.model.entries import Stream
from app.model.errors import UpstreamError
from app.providers.page import Capability, Provider, supports
from app.responses.dependencies import Dependencies

R = TypeVar("R", Reading, Served[Statement])

# Readings this close are of one time: two calls that were begun together are.
_ONE_TIME = timedelta(seconds=1)
# A balance that never adds up, by ever other amounts, would else have a history read whole whenever
# it is read; so often it costs no more than its refreshes do.
_BETWEEN_REBUILDS = timedelta(minutes=10)


@dataclass(frozen=True)
class AccountBalance:
    """What one account holds; state, `read_at` and error are those of what is reported.

    `as_of` is since when it may be out of date, None while nothing in it grows old. It is not
    `settled` where asking again soon may tell more.
    """

    account: Account
    holdings: list[Holding]
    state: SourceState
    read_at: datetime | None
    error: UpstreamError | None
    as_of: datetime | None
    settled: bool


class Balances:
    """Reads balances for one request, by its deadline."""

    def __init__(
        self,
        mirror: Mirror,
        reported: Reported,
        providers: Mapping[str, Provider],
        deadline: Deadline,
        made_of: Dependencies,
    ) -> None:
        self._mirror = mirror
        self._reported = reported
        self._providers = providers
        self._deadline = deadline
        self._made_of = made_of

    async def of(self, account: Account) -> AccountBalance:
        """Return what an account holds; what cannot be read is said in it, never raised."""
        seen = await self._look(account, self._deadline.demand())
        if seen.new_drift and not seen.is_of_one_time:
            seen = seen.renewed(await self._look(account, self._deadline.urgent(_ONE_TIME)))
        if seen.new_drift and seen.is_of_one_time and seen.may_be_mended:
            self._mirror.rebuild(account, Stream.CREDIT_CHANGES, because=seen.new_drift)
        elif seen.was_mended:
            await self._mirror.note_no_drift(account, Stream.CREDIT_CHANGES)
        for kind, version in seen.versions.items():
            self._made_of.read(name_of(account.id, kind, account.revision), version)
        return seen.balance(account)

    async def refresh(self, account: Account) -> None:
        """Ask the provider now, if it tells balances; a failure is told by whoever asks next."""
        await self._statement(account, self._deadline.urgent())

    async def _look(self, account: Account, demand: Demand | None) -> "_Seen":
        """Read what is reported and the history side by side."""
        statement, history = await asyncio.gather(
            self._statement(account, demand), self._history(account, demand)
        )
        return _Seen(statement, history)

    async def _statement(
        self, account: Account, demand: Demand | None
    ) -> Served[Statement] | UpstreamError | None:
        if Capability.BALANCE not in self._providers[account.provider].capabilities:
            return None
        return await self._deadline.one("balance", self._reported.read(account, demand))

    async def _history(
        self, account: Account, demand: Demand | None
    ) -> Reading | UpstreamError | None:
        if not supports(self._providers[account.provider], Stream.CREDIT_CHANGES):
            return None
        reading = self._mirror.read(account, Stream.CREDIT_CHANGES, demand)
        return await self._deadline.one("history", reading)


@dataclass(frozen=True)
class _Seen:
    """What was read of an account; None for what its provider does not offer."""

    statement: Served[Statement] | UpstreamError | None
    history: Reading | UpstreamError | None

    @cached_property
    def holdings(self) -> list[Holding]:
        snapshot = self.history.snapshot if isinstance(self.history, Reading) else None
        return holdings(
            self.statement.document.amounts if isinstance(self.statement, Served) else None,
            snapshot.entries if snapshot and snapshot.complete else None,
        )

    @property
    def new_drift(self) -> str:
        """What does not add up; empty where the history was read anew for just that."""
        drift = drift_of(self.holdings)
        return "" if drift == self._rebuilt_for else drift

    @property
    def may_be_mended(self) -> bool:
        """Whether it is time to read the history anew; soon after that did not help, it is not."""
        if not self._rebuilt_for or not isinstance(self.history, Reading):
            return True
        snapshot = self.history.snapshot
        return snapshot.read_at - snapshot.built_at >= _BETWEEN_REBUILDS

    @property
    def was_mended(self) -> bool:
        """Whether all adds up in a history that was read anew because it did not."""
        is_whole = isinstance(self.history, Reading) and self.history.snapshot.complete
        is_known = is_whole and isinstance(self.statement, Served)
        return is_known and not drift_of(self.holdings) and self._rebuilt_for != ""

    @property
    def versions(self) -> dict[str, str]:
        """The versions of what was read, by the kind of document."""
        versions: dict[str, str] = {}
        if isinstance(self.history, Reading):
            versions[Stream.CREDIT_CHANGES] = self.history.snapshot.version
        if isinstance(self.statement, Served):
            versions[KIND] = self.statement.document.version
        return versions

    @property
    def _rebuilt_for(self) -> str:
        return self.history.snapshot.rebuilt_for if isinstance(self.history, Reading) else ""

    @property
    def _times(self) -> list[datetime]:
        statement = [self.statement.document] if isinstance(self.statement, Served) else []
        history = [self.history.snapshot] if isinstance(self.history, Reading) else []
        return [one.read_at for one in (*statement, *history)]

    @property
    def is_of_one_time(self) -> bool:
        return max(self._times) - min(self._times) <= _ONE_TIME

    def renewed(self, later: "_Seen") -> "_Seen":
        """Return this with whatever could be read later."""
        return _Seen(_later(self.statement, later.statement), _later(self.history, later.history))

    def balance(self, account: Account) -> AccountBalance:
        statement, error, state = self.statement, None, SourceState.UNSUPPORTED
        if isinstance(statement, UpstreamError):
            error, state = statement, SourceState.UNAVAILABLE
        elif statement:
            error = statement.error
            state = SourceState.STALE if statement.is_stale else SourceState.FRESH
        is_known = isinstance(self.history, Reading) and not self.history.is_stale
        is_last_word = not self.new_drift or (self.is_of_one_time and not self.may_be_mended)
        return AccountBalance(
            account=account,
            holdings=self.holdings,
            state=state,
            read_at=statement.document.read_at if isinstance(statement, Served) else None,
            error=error,
            as_of=min(self._times, default=None),
            settled=is_last_word and (is_known or self.history is None),
        )


def _later(
    first: R | UpstreamError | None, later: R | UpstreamError | None
) -> R | UpstreamError | None:
    return first if later is None or isinstance(later, UpstreamError) or later.is_stale else later
