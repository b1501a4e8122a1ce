"""What callers may change."""

import strawberry
from strawberry import UNSET

from app.api import ids
from app.api.context import Info
from app.api.types.accounts import Account
from app.api.types.inputs import given
from app.api.types.sources import HistorySource
from app.model import accounts as model
from app.model.errors import Forbidden, NotFound


@strawberry.input
class RefreshAccountInput:
    account_id: strawberry.ID
    client_mutation_id: str | None = UNSET


@strawberry.type
class RefreshAccountPayload:
    account: Account
    sources: list[HistorySource]
    client_mutation_id: str | None


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Asks the provider now, whatever the cache holds.")
    async def refresh_account(
        self,
        info: Info,
        input: RefreshAccountInput,  # noqa: A002 - Relay's name
    ) -> RefreshAccountPayload:
        context = info.context
        sources = await context.refresh(await _writable(info, input.account_id))
        context.used(info, sources)
        # Whether its credentials are still accepted may have turned out.
        account = Account.of(await _visible(info, input.account_id), context.services)
        return RefreshAccountPayload(
            account=account,
            sources=[HistorySource.of(source, account) for source in sources],
            client_mutation_id=given(input.client_mutation_id),
        )


async def _writable(info: Info, global_id: strawberry.ID) -> model.Account:
    """Return an account that the viewer may change; raises `NotFound` and `Forbidden`."""
    account = await _visible(info, global_id)
    owner = await info.context.loaders.customers_by_id.load(account.customer_id)
    if owner is None or not info.context.viewer.may_write(owner):
        raise Forbidden("Changing this account takes the scope accounts:write for its customer.")
    return account


async def _visible(info: Info, global_id: strawberry.ID) -> model.Account:
    named = ids.read(global_id)
    found = None
    if named and named.kind is ids.NodeKind.ACCOUNT:
        found = await info.context.loaders.accounts_by_id.load(named.owner)
    if found is None:
        raise NotFound("There is no such account.")
    return found
