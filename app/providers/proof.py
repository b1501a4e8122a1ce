"""Trying credentials at a provider before an account is linked with them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from secrets import token_hex

import msgspec

from app.model.accounts import Account, AccountStatus
from app.model.clock import Clock
from app.model.errors import UpstreamError, UpstreamUnauthorized
from app.model.renewable import Pause, Renewable, Renewed
from app.providers.http import Upstream
from app.providers.registry import make
from app.settings.providers import AnyProviderSettings

_UNLINKED = Account(
    id="0" * 16, customer_id="", provider="", linked_at=datetime(1970, 1, 1, tzinfo=UTC)
)


class _Given:
    """A store of one pair of credentials, for as long as they are being tried."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self.current = credentials
        self._renewed: Renewed | None = None

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        del account_id
        return self.current

    async def renewable(self, account_id: str) -> Renewable:
        del account_id
        access = self._renewed.access if self._renewed else None
        return Renewable(1, self.current, access=access)

    async def take_turn(self, account_id: str, turn: str, now: datetime, until: datetime) -> bool:
        """Nobody else knows of the credentials, so it is always our turn."""
        del account_id, turn, now, until
        return True

    async def end_turn(self, account_id: str, turn: str, pause: Pause | None) -> None:
        """Nobody waits for it."""

    async def keep_renewed(self, account_id: str, before: Renewable, renewed: Renewed) -> bool:
        del account_id, before
        self.current, self._renewed = renewed.current, renewed
        return True

    async def refuse(self, account_id: str, before: Renewable, until: datetime) -> bool:
        """Nothing is linked yet, so there is nothing to mark."""
        del account_id, before, until
        return True

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        """Nothing is linked yet, so there is nothing to mark."""


async def prove(
    settings: AnyProviderSettings,
    credentials: Mapping[str, str],
    clock: Clock,
    upstream: Upstream,
) -> Mapping[str, str]:
    """Read the balance with the credentials and return them as they are now.

    They differ from what was given where the provider renewed them; then only the returned ones
    are sure to be accepted. `upstream` is that of all calls to the provider, so that one which does
    not work is left alone by linking too. Raises `UpstreamError`.
    """
    given = _Given(credentials)
    provider = make(settings, given, clock, upstream=upstream)
    # Whatever befalls these credentials must not hold up other ones.
    account = msgspec.structs.replace(_UNLINKED, id=token_hex(8))
    try:
        await provider.balance(account)
    except UpstreamUnauthorized:
        raise
    except UpstreamError:
        # What it renewed it accepted, and what was given is used up by that.
        if given.current == credentials:
            raise
    finally:
        await provider.aclose()
    return given.current
