"""The connections over histories."""

import strawberry

from app.api.histories import Answer
from app.api.types.entries import CreditChange, Payment
from app.api.types.node import PageInfo
from app.api.types.sources import HistorySource


@strawberry.type(description="A credit change, and its place in the list.")
class CreditChangeEdge:
    cursor: str
    node: CreditChange


@strawberry.type(description="One page of credit changes, and how far to trust it.")
class CreditChangeConnection:
    edges: list[CreditChangeEdge]
    page_info: PageInfo
    sources: list[HistorySource] = strawberry.field(
        description="One for each account asked: how fresh and how complete its part is."
    )
    answer: strawberry.Private[Answer]

    @strawberry.field(description="The page's credit changes in their order, without cursors.")
    def nodes(self) -> list[CreditChange]:
        return [edge.node for edge in self.edges]

    @strawberry.field(description="Null until every source is known to its very beginning.")
    def total_count(self) -> int | None:
        return self.answer.total


@strawberry.type(description="A payment, and its place in the list.")
class PaymentEdge:
    cursor: str
    node: Payment


@strawberry.type(description="One page of payments, and how far to trust it.")
class PaymentConnection:
    edges: list[PaymentEdge]
    page_info: PageInfo
    sources: list[HistorySource] = strawberry.field(
        description="One for each account asked: how fresh and how complete its part is."
    )
    answer: strawberry.Private[Answer]

    @strawberry.field(description="The page's payments in their order, without cursors.")
    def nodes(self) -> list[Payment]:
        return [edge.node for edge in self.edges]

    @strawberry.field(description="Null until every source is known to its very beginning.")
    def total_count(self) -> int | None:
        return self.answer.total
