"""Adapters under test, each with a store, a clock and settings of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from kinds import KNOWN
from msgspec.structs import replace

from app.model.accounts import Account, AccountStatus
from app.model.clock import Clock
from app.model.renewable import Pause, PauseKind, Renewable, Renewed
from app.providers.page import Provider
from app.providers.registry import make
from app.settings.providers import KINDS, AnyProviderSettings

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRETS = {kind: known.credentials for kind, known in KNOWN.items()}


def is_the_wait(until: datetime | None, seconds: float | None) -> bool:
    """Say whether it is that long from the start; None is the first wait of our own, by chance."""
    assert until is not None
    wait = (until - START).total_seconds()
    return 1 <= wait <= 1.2 if seconds is None else wait == seconds


class Hands:
    """A clock that a test sets; it stands still by itself."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class Store:
    """Credentials that all accounts begin with, and what became of them."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self.first = Renewable(1, credentials)
        self.kept: dict[str, Renewable] = {}
        self.turns: dict[str, str] = {}
        self.events: list[str] = []

    def link(self, credentials: Mapping[str, str]) -> None:
        """Link other credentials to the first account."""
        revision = self.of(account().id).revision + 1
        self.kept[account().id] = Renewable(revision, credentials)
        self.turns.pop(account().id, None)

    def of(self, account_id: str) -> Renewable:
        return self.kept.get(account_id, self.first)

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        return self.of(account_id).current

    async def renewable(self, account_id: str) -> Renewable:
        return self.of(account_id)

    async def take_turn(self, account_id: str, turn: str, now: datetime, until: datetime) -> bool:
        kept = self.of(account_id)
        ends = kept.pause.until if kept.pause else kept.taken_until
        if self.turns.get(account_id) != turn and ends is not None and now < ends:
            return False
        self.turns[account_id] = turn
        self.kept[account_id] = replace(kept, taken_until=until, pause=None)
        return True

    async def end_turn(self, account_id: str, turn: str, pause: Pause | None) -> None:
        if self.turns.get(account_id) == turn:
            del self.turns[account_id]
            kept = self.of(account_id)
            self.kept[account_id] = replace(kept, taken_until=None, pause=pause)

    async def keep_renewed(self, account_id: str, before: Renewable, renewed: Renewed) -> bool:
        await asyncio.sleep(0.01)  # as a database does
        if not self._is_unchanged(account_id, before):
            return False
        self.turns.pop(account_id, None)
        self.kept[account_id] = Renewable(
            before.revision, renewed.current, renewed.spent, renewed.access
        )
        self.events.append(f"stored {renewed.current['refreshToken']}")
        return True

    async def refuse(self, account_id: str, before: Renewable, until: datetime) -> bool:
        if not self._is_unchanged(account_id, before):
            return False
        self.turns.pop(account_id, None)
        pause = Pause(PauseKind.REFUSED, until)
        self.kept[account_id] = replace(self.of(account_id), taken_until=None, pause=pause)
        self.events.append(f"marked {AccountStatus.NEEDS_RELINK}")
        return True

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        del account_id
        self.events.append(f"marked {status}")

    def _is_unchanged(self, account_id: str, before: Renewable) -> bool:
        kept = self.of(account_id)
        return (kept.revision, kept.current) == (before.revision, before.current)


def account(number: int = 1) -> Account:
    return Account(id=f"{number:016x}", customer_id="c", provider="it", linked_at=START)


def settings_of(kind: str, url: str, **changed: Any) -> AnyProviderSettings:  # noqa: ANN401
    fields = {"kind": kind, "name": "it", "base_url": url, **KNOWN[kind].settings, **changed}
    return KINDS[kind].model_validate(fields)


@asynccontextmanager
async def adapter(
    kind: str,
    url: str,
    *,
    store: Store | None = None,
    clock: Clock | None = None,
    **changed: Any,  # noqa: ANN401 - any setting
) -> AsyncIterator[Provider]:
    """Make an adapter of a server and close it in the end."""
    store = store or Store(SECRETS[kind])
    made = make(settings_of(kind, url, **changed), store, clock or Hands())
    try:
        yield made
    finally:
        await made.aclose()
