"""The one value that says who is calling; made once for a request and asked where things load."""

from dataclasses import dataclass
from enum import StrEnum

from app.model.accounts import Customer


class Scope(StrEnum):
    READ = "credits:read"
    READ_ANY = "credits:read:any"


@dataclass(frozen=True)
class Viewer:
    """A caller: its name, its scopes, and the reference of its own customer where it has one."""

    subject: str
    scopes: frozenset[Scope]
    reference: str | None = None

    def may_read(self, customer: Customer) -> bool:
        return Scope.READ_ANY in self.scopes or (
            Scope.READ in self.scopes and customer.reference == self.reference
        )
