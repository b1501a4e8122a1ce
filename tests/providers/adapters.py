"""Adapters under test, each with a store, a clock and settings of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from app.model.accounts import Account, AccountStatus
from app.model.clock import Clock
from app.providers.page import Provider
from app.providers.registry import make
from app.settings.providers import KINDS, AnyProviderSettings

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRETS = {
    "cloudreve": {"refreshToken": "refresh-token-of-anna"},
    "hostup": {"apiKey": "api-key-of-anna"},
    "carecloud": {"customerId": "838b73aacb5ac326cec4030c80"},
}
PASSWORD = "password-of-the-project"

_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "cloudreve": {},
    "hostup": {},
    "carecloud": {
        "time_zone": "Europe/Prague",
        "external_application_id": "app",
        "login": "gateway",
        "password": PASSWORD,
    },
}


class Hands:
    """A clock that a test sets; it stands still by itself."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class Store:
    """Credentials of one account, and what became of them."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self.current = credentials
        self.events: list[str] = []

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        del account_id
        return self.current

    async def replace_credentials(self, account_id: str, credentials: Mapping[str, str]) -> None:
        del account_id
        await asyncio.sleep(0.01)  # as a database does
        self.current = credentials
        self.events.append(f"stored {credentials['refreshToken']}")

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        del account_id
        self.events.append(f"marked {status}")


def account(number: int = 1) -> Account:
    return Account(id=f"{number:016x}", customer_id="c", provider="it", linked_at=START)


def settings_of(kind: str, url: str, **changed: Any) -> AnyProviderSettings:  # noqa: ANN401
    fields = {"kind": kind, "name": "it", "base_url": url, **_SETTINGS[kind], **changed}
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
