"""Customers and their accounts at providers, as every layer above the directory sees them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec


class ProviderKind(StrEnum):
    CLOUDREVE = "CLOUDREVE"
    HOSTUP = "HOSTUP"
    CARECLOUD = "CARECLOUD"


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
    """Where a provider finds and replaces the credentials of an account."""

    async def credentials(self, account_id: str) -> Mapping[str, str]:
        """Return the account's current credentials; `NotFound` for an unknown account."""

    async def replace_credentials(self, account_id: str, credentials: Mapping[str, str]) -> None:
        """Keep renewed credentials durably; they may be used once this returned."""

    async def mark(self, account_id: str, status: AccountStatus) -> None:
        """Record whether the provider still accepts the account's credentials."""
