"""What callers may change."""

import strawberry

from app.api.mutations.accounts import AccountMutations
from app.api.mutations.customers import CustomerMutations


@strawberry.type(description="Everything that can be changed, by callers with a scope for it.")
class Mutation(AccountMutations, CustomerMutations):
    """All of it."""


__all__ = ["Mutation"]
