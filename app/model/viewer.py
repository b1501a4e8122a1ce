"""The one value that says who is calling; made once for a request and asked where things load."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from app.model.accounts import Customer


class Scope(StrEnum):
    READ = "credits:read"
    READ_ANY = "credits:read:any"
    WRITE = "accounts:write"
    WRITE_ANY = "accounts:write:any"


@dataclass(frozen=True)
class Viewer:
    """A caller: its name, its scopes, and the reference of its own customer where it has one."""

    subject: str
    scopes: frozenset[Scope]
    reference: str | None = None

    @property
    def reads(self) -> str | None:
        """The reference of the one customer it may read; None where that is none, or are all."""
        return self.reference if Scope.READ in self.scopes and not self.reads_all else None

    @property
    def reads_all(self) -> bool:
        return Scope.READ_ANY in self.scopes

    def may_read(self, customer: Customer) -> bool:
        return self._has(Scope.READ, Scope.READ_ANY, customer)

    def may_write(self, customer: Customer) -> bool:
        """Say whether the accounts of a customer may be linked, unlinked and refreshed."""
        return self._has(Scope.WRITE, Scope.WRITE_ANY, customer)

    @property
    def writes_all(self) -> bool:
        """Whether it may change every customer's accounts, and create and delete customers."""
        return Scope.WRITE_ANY in self.scopes

    def _has(self, own: Scope, every: Scope, customer: Customer) -> bool:
        return every in self.scopes or (own in self.scopes and customer.reference == self.reference)


class Known(NamedTuple):
    """A caller who was recognised, and when its token ends; None where it does not by itself."""

    viewer: Viewer
    ends: datetime | None = None
