"""The directory: who the customers are, which accounts they have, and who may ask."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Self

from app.directory.accounts import Accounts
from app.directory.customers import Customers
from app.directory.database import Database
from app.directory.keeping import Credentials
from app.directory.keys import ApiKeys
from app.directory.outcome import Change, Linked
from app.directory.renewing import Renewing
from app.directory.rotating import Rotating, Rotation
from app.directory.vault import Vault
from app.model.clock import utc_now

__all__ = ["Change", "Directory", "Linked", "Rotation"]


class Directory(Customers, Accounts, Credentials, Renewing, Rotating, ApiKeys):
    """Customers, accounts, credentials and API keys; the `CredentialStore` of the providers."""

    @classmethod
    async def open(cls, url: str, vault: Vault, *, now: Callable[[], datetime] = utc_now) -> Self:
        """Return the directory at an address of SQLite or PostgreSQL; close it after use."""
        return cls(await Database.open(url), vault, now)

    def on_write(self, written: Callable[[], Awaitable[None]]) -> None:
        """Await `written` whenever this process may have written what lookups show."""
        self._database.on_write(written)

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()
