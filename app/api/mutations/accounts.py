"""Linking, unlinking and refreshing of accounts."""

import strawberry
from strawberry import UNSET

from app.api.context import Info
from app.api.mutations.finding import linkable_customer, writable_account
from app.api.types.accounts import Account
from app.api.types.credentials import AccountCredentials, line_of
from app.api.types.inputs import GIVEN_BACK, given
from app.api.types.sources import HistorySource
from app.model.errors import NotFound


@strawberry.input(description="An account to connect a customer to.")
class LinkAccountInput:
    customer_reference: str = strawberry.field(
        description="The operator's own key for the customer."
    )
    provider: str = strawberry.field(description="The configured provider's name.")
    label: str | None = strawberry.field(
        default=UNSET,
        description="Tells the customer's accounts at this provider apart; linking again under the "
        "same label, or again without one, replaces the credentials.",
    )
    credentials: AccountCredentials
    client_mutation_id: str | None = strawberry.field(default=UNSET, description=GIVEN_BACK)


@strawberry.type(description="The account that was linked.")
class LinkAccountPayload:
    account: Account
    client_mutation_id: str | None


@strawberry.input(description="The account to unlink.")
class UnlinkAccountInput:
    account_id: strawberry.ID = strawberry.field(description="The global id of an `Account`.")
    client_mutation_id: str | None = strawberry.field(default=UNSET, description=GIVEN_BACK)


@strawberry.type(description="The account that was unlinked.")
class UnlinkAccountPayload:
    unlinked_account_id: strawberry.ID = strawberry.field(
        description="The global id that the account had."
    )
    client_mutation_id: str | None


@strawberry.input(description="The account to refresh.")
class RefreshAccountInput:
    account_id: strawberry.ID = strawberry.field(description="The global id of an `Account`.")
    client_mutation_id: str | None = strawberry.field(default=UNSET, description=GIVEN_BACK)


@strawberry.type(description="The account that was refreshed, and what came of it.")
class RefreshAccountPayload:
    account: Account
    sources: list[HistorySource] = strawberry.field(
        description="One for each history that the provider has: credit changes, then payments."
    )
    client_mutation_id: str | None


@strawberry.type
class AccountMutations:
    @strawberry.mutation(
        description="Connects a customer to an account at a provider. The credentials are proved "
        "against the provider before they are stored."
    )
    async def link_account(
        self,
        info: Info,
        input: LinkAccountInput,  # noqa: A002 - Relay's name
    ) -> LinkAccountPayload:
        customer = await linkable_customer(info, input.customer_reference)
        providers = info.context.services.providers
        kinds = {name: provider.kind for name, provider in providers.items()}
        line = line_of(input.provider, given(input.label), input.credentials, kinds)
        linked = await info.context.link(customer, line)
        account = await _linked(info, linked.account_id)
        return LinkAccountPayload(
            account=account, client_mutation_id=given(input.client_mutation_id)
        )

    @strawberry.mutation(
        description="Deletes an account, its credentials and all that is stored of it; nothing "
        "changes at the provider."
    )
    async def unlink_account(
        self,
        info: Info,
        input: UnlinkAccountInput,  # noqa: A002 - Relay's name
    ) -> UnlinkAccountPayload:
        account = await writable_account(info, input.account_id)
        if not await info.context.services.linking.unlink(account):
            raise NotFound("There is no such account.")
        info.context.load_anew()
        return UnlinkAccountPayload(
            unlinked_account_id=input.account_id,
            client_mutation_id=given(input.client_mutation_id),
        )

    @strawberry.mutation(description="Asks the provider now, whatever the cache holds.")
    async def refresh_account(
        self,
        info: Info,
        input: RefreshAccountInput,  # noqa: A002 - Relay's name
    ) -> RefreshAccountPayload:
        context = info.context
        sources = await context.refresh(await writable_account(info, input.account_id))
        context.used(info, sources)
        # Whether its credentials are still accepted may have turned out.
        account = Account.of(await writable_account(info, input.account_id), context.services)
        return RefreshAccountPayload(
            account=account,
            sources=[HistorySource(source=source, account=account) for source in sources],
            client_mutation_id=given(input.client_mutation_id),
        )


async def _linked(info: Info, account_id: str) -> Account:
    (record,) = await info.context.services.directory.accounts_by_id([account_id])
    if record is None:
        raise NotFound("The account was unlinked meanwhile.")
    return Account.of(record, info.context.services)
