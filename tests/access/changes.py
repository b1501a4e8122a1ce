"""The ways in that change who and what is there, each with a query that takes it."""

from collections.abc import Callable
from dataclasses import dataclass

from app.model.viewer import Scope, Viewer

KEY = "0123456789"


@dataclass(frozen=True)
class Change:
    """A mutation of what a reference and an account's id name; who may, if it may see it."""

    query: Callable[[str, str], str]
    takes: tuple[Scope, ...]
    told: str | None = None


_CREDENTIALS = f'{{ hostup: {{ apiKey: "{KEY}" }} }}'
_LINK = f'provider: "hosting", label: "main", credentials: {_CREDENTIALS}'
# What is linked is there with the same key, so that no provider is asked for it.
CHANGES = {
    "Mutation.createCustomer(input.reference)": Change(
        lambda reference, _: (
            f'mutation {{ createCustomer(input: {{ reference: "{reference}" }}) {{'
            " customer { reference } } }"
        ),
        (Scope.WRITE_ANY,),
        "BAD_USER_INPUT",
    ),
    "Mutation.deleteCustomer(input.reference)": Change(
        lambda reference, _: (
            f'mutation {{ deleteCustomer(input: {{ reference: "{reference}" }}) {{'
            " deletedCustomerId } }"
        ),
        (Scope.WRITE_ANY,),
    ),
    "Mutation.linkAccount(input.customerReference)": Change(
        lambda reference, _: (
            f'mutation {{ linkAccount(input: {{ customerReference: "{reference}", {_LINK} }}) {{'
            " account { id } } }"
        ),
        (Scope.WRITE, Scope.WRITE_ANY),
    ),
    "Mutation.unlinkAccount(input.accountId)": Change(
        lambda _, account: (
            f'mutation {{ unlinkAccount(input: {{ accountId: "{account}" }}) {{'
            " unlinkedAccountId } }"
        ),
        (Scope.WRITE, Scope.WRITE_ANY),
    ),
}


def may(who: Viewer, change: Change, reference: str) -> bool:
    """Say whether a viewer who sees a customer may change it so."""
    if Scope.WRITE_ANY in who.scopes:
        return True
    return Scope.WRITE in change.takes and Scope.WRITE in who.scopes and who.reference == reference
