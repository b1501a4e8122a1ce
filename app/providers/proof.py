"""Trying credentials at a provider before an account is linked with them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from app.model.accounts import Account, AccountStatus
from app.model.clock import Clock
from app.providers.registry import make
from app.settings.providers import AnyProviderSettings

_UNLINKED = Account(
    id="0" * 16, customer_id="", provider="", linked_at=datetime(1970, 1, 1, tzinfo=UTC)
)


class _Given:
    """A store of one pair of credentials, for as long as they are being tried."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self.current = credentials

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        del account_id
        return self.current

    async def replace_credentials(self, account_id: str, credentials: Mapping[str, str]) -> None:
        del account_id
        self.current = credentials

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        """Nothing is linked yet, so there is nothing to mark."""


async def prove(
    settings: AnyProviderSettings, credentials: Mapping[str, str], clock: Clock
) -> Mapping[str, str]:
    """Read the balance with the credentials and return them as they are now.

    They differ from what was given where the provider renewed them; then only the returned ones
    are sure to be accepted. Raises `UpstreamError`.
    """
    given = _Given(credentials)
    provider = make(settings, given, clock)
    try:
        await provider.balance(_UNLINKED)
    finally:
        await provider.aclose()
    return given.current
