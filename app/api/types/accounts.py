"""Customers and their accounts."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Self

import strawberry
from strawberry import UNSET

from app.api import listing, summaries
from app.api.context import Info, Services
from app.api.ids import NodeId, NodeKind, written
from app.api.types.balances import Balance, balance_of, balances_of
from app.api.types.connections import CreditChangeConnection, PaymentConnection
from app.api.types.inputs import CreditChangeFilter, HistoryOrder, PaymentFilter
from app.api.types.node import Node, PageInfo
from app.api.types.providers import Provider, Told, told_of
from app.api.types.summary import CreditSummary
from app.history.summary import SummaryBucket
from app.model import accounts as model
from app.model.errors import NotFound

# Some 10 MB; each is shown in many rows, and most of them again.
_MOST_SHOWN = 5000

ChangesWhere = Annotated[CreditChangeFilter | None, strawberry.argument(name="filter")]
PaymentsWhere = Annotated[PaymentFilter | None, strawberry.argument(name="filter")]
From = Annotated[
    datetime | None, strawberry.argument(name="from", description="At or after this instant.")
]
To = Annotated[datetime | None, strawberry.argument(description="Before this instant.")]
ZoneName = Annotated[
    str, strawberry.argument(description="An IANA time zone; buckets begin at its midnight.")
]


@strawberry.type(description="A customer's account at one provider.")
class Account(Node):
    record: strawberry.Private[model.Account]
    kind: strawberry.Private[model.ProviderKind]
    id: strawberry.ID
    provider: Provider
    external_id: str | None = strawberry.field(
        description="The account's id at the provider, where the provider has one."
    )
    label: str | None = strawberry.field(
        description="Tells the customer's accounts at one provider apart; null when it was linked "
        "without one."
    )
    status: model.AccountStatus
    linked_at: datetime = strawberry.field(description="When the account was first linked.")

    @staticmethod
    def of(record: model.Account, services: Services) -> "Account":
        """Return an account as it is shown: the same one for as long as it is the same."""
        return _shown(record, told_of(services.providers[record.provider]))

    @strawberry.field
    async def customer(self, info: Info) -> "Customer":
        owner = await info.context.loaders.customers_by_id.load(self.record.customer_id)
        if owner is None:
            raise NotFound("The account's customer is gone.")
        return Customer.of(owner)

    @strawberry.field(description="The credit history of this account alone.")
    async def credit_changes(
        self,
        info: Info,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
        where: ChangesWhere = UNSET,
        order_by: HistoryOrder = HistoryOrder.NEWEST_FIRST,
    ) -> CreditChangeConnection:
        arguments = listing.Arguments(first, after, last, before, where, order_by)
        return await listing.credit_changes(info, self.id, [self.record], arguments, Account.of)

    @strawberry.field(description="The payments of this account alone.")
    async def payments(
        self,
        info: Info,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
        where: PaymentsWhere = UNSET,
        order_by: HistoryOrder = HistoryOrder.NEWEST_FIRST,
    ) -> PaymentConnection:
        arguments = listing.Arguments(first, after, last, before, where, order_by)
        return await listing.payments(info, self.id, [self.record], arguments, Account.of)

    @strawberry.field(
        description="What the account holds; null when it holds several units, which "
        "`Customer.balances` lists, and when its provider tells no balance."
    )
    async def balance(self, info: Info) -> Balance | None:
        return await balance_of(info, self.record, Account.of)


@lru_cache(_MOST_SHOWN)
def _shown(record: model.Account, provider: Told) -> Account:
    return Account(
        record=record,
        kind=provider.kind,
        id=strawberry.ID(written(NodeId(NodeKind.ACCOUNT, record.id))),
        provider=Provider.told(provider),
        external_id=record.external_id,
        label=record.label,
        status=record.status,
        linked_at=record.linked_at,
    )


@strawberry.type(
    description="A customer of the operator, with any number of accounts at providers."
)
class Customer(Node):
    record: strawberry.Private[model.Customer]
    id: strawberry.ID
    reference: str = strawberry.field(description="The operator's own key for this customer.")
    display_name: str | None = strawberry.field(
        description="The name to show; null when there is none."
    )

    @classmethod
    def of(cls, record: model.Customer) -> Self:
        return cls(
            record=record,
            id=strawberry.ID(written(NodeId(NodeKind.CUSTOMER, record.id))),
            reference=record.reference,
            display_name=record.display_name,
        )

    @strawberry.field
    async def accounts(self, info: Info) -> list[Account]:
        records = await info.context.loaders.accounts_by_customer.load(self.record.id)
        return [Account.of(record, info.context.services) for record in records]

    @strawberry.field(description="The credit history of all accounts, merged into one order.")
    async def credit_changes(
        self,
        info: Info,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
        where: ChangesWhere = UNSET,
        order_by: HistoryOrder = HistoryOrder.NEWEST_FIRST,
    ) -> CreditChangeConnection:
        arguments = listing.Arguments(first, after, last, before, where, order_by)
        records = await info.context.loaders.accounts_by_customer.load(self.record.id)
        return await listing.credit_changes(info, self.id, records, arguments, Account.of)

    @strawberry.field(description="The payments of all accounts, merged into one order.")
    async def payments(
        self,
        info: Info,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
        where: PaymentsWhere = UNSET,
        order_by: HistoryOrder = HistoryOrder.NEWEST_FIRST,
    ) -> PaymentConnection:
        arguments = listing.Arguments(first, after, last, before, where, order_by)
        records = await info.context.loaders.accounts_by_customer.load(self.record.id)
        return await listing.payments(info, self.id, records, arguments, Account.of)

    @strawberry.field(
        description="What each account holds now, and whether its history adds up to it."
    )
    async def balances(self, info: Info) -> list[Balance]:
        records = await info.context.loaders.accounts_by_customer.load(self.record.id)
        return await balances_of(info, records, Account.of)

    @strawberry.field(description="Totals and a time series over the credit history, for charts.")
    async def credit_summary(
        self,
        info: Info,
        from_: From = UNSET,
        to: To = UNSET,
        bucket: SummaryBucket = SummaryBucket.MONTH,
        time_zone: ZoneName = "UTC",
        where: ChangesWhere = UNSET,
    ) -> CreditSummary:
        arguments = summaries.Arguments(from_, to, bucket, time_zone, where)
        records = await info.context.loaders.accounts_by_customer.load(self.record.id)
        return await summaries.credit_summary(info, records, arguments, Account.of)


@strawberry.type(description="A customer, and its place in the list.")
class CustomerEdge:
    cursor: str
    node: Customer


@strawberry.type(description="One page of customers.")
class CustomerConnection:
    edges: list[CustomerEdge]
    page_info: PageInfo
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The page's customers in their order, without cursors.")
    def nodes(self) -> list[Customer]:
        return [edge.node for edge in self.edges]

    @strawberry.field(description="How many customers all pages have together.")
    async def total_count(self) -> int | None:
        return await self.count()
