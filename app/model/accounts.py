"""Customers and their accounts at providers, as every layer above the directory sees them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from app.model.renewable import Pause, Renewable, Renewed


class ProviderKind(StrEnum):
    CLOUDREVE = "CLOUDREVE"
    HOSTUP = "HOSTUP"
    CARECLOUD = "CARECLOUD"


CREDENTIALS: Mapping[ProviderKind, str] = {
    ProviderKind.CLOUDREVE: "refreshToken",
    ProviderKind.HOSTUP: "apiKey",
    ProviderKind.CARECLOUD: "customerId",
}
"""What callers call the one text that an account of each kind is reached by."""


class AccountStatus(StrEnum):
    ACTIVE = "ACTIVE"
    NEEDS_RELINK = "NEEDS_RELINK"


class Customer(msgspec.Struct, frozen=True):
    """A customer of ours. `id` is permanent and opaque, `reference` the operator's own key."""

    id: str
    reference: str
    display_name: str | None = None


class Account(msgspec.Struct, frozen=True):
    """A customer's account at one configured provider; carries no credentials.

    `id` is 16 hexadecimal digits, permanent; `provider` is the provider's name in the
    configuration; `external_id` the account's id at the provider, None where it has none.
    `revision` grows each time the account is linked with other credentials: what was read of the
    former may be somebody else's.
    """

    id: str
    customer_id: str
    provider: str
    linked_at: datetime
    label: str | None = None
    external_id: str | None = None
    status: AccountStatus = AccountStatus.ACTIVE
    revision: int = 1


class CredentialStore(Protocol):
    """Where a provider finds the credentials of an account, and keeps what they are renewed to."""

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        """Return the account's current credentials; `NotFound` for an unknown account."""

    async def renewable(self, account_id: str) -> Renewable:
        """Return them with what has been renewed of them; `NotFound` for an unknown account.

        Raises `UpstreamError`, as all of these do.
        """

    async def take_turn(self, account_id: str, turn: str, now: datetime, until: datetime) -> bool:
        """Say whether nobody else may renew them until then; a turn taken before is prolonged.

        False while another turn or a pause is not over, or without such an account.
        """

    async def end_turn(self, account_id: str, turn: str, pause: Pause | None) -> None:
        """Let others renew them, after the pause; nothing happens to another one's turn."""

    async def keep_renewed(self, account_id: str, before: Renewable, renewed: Renewed) -> bool:
        """Keep a renewed pair durably and end every turn; it may be used once this returned True.

        False where other credentials were linked or renewed since `before`: those stay.
        """

    async def refuse(self, account_id: str, before: Renewable, until: datetime) -> bool:
        """Mark the account as one to be linked again, with a pause; False as `keep_renewed`."""

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        """Record whether the provider still accepts the account's credentials."""
