"""What callers may change."""

import strawberry

from app.api.mutations.accounts import AccountMutations
from app.api.mutations.customers import CustomerMutations


@strawberry.type
class Mutation(AccountMutations, CustomerMutations):
    """All of it."""


__all__ = ["Mutation"]
