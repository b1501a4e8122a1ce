"""The schema, put together."""

from typing import Annotated, Any

import strawberry
from strawberry import UNSET
from strawberry.schema.config import StrawberryConfig

from app.api import customers, nodes
from app.api.context import Info
from app.api.mutations import Mutation
from app.api.scalars import SCALARS
from app.api.subscriptions import Subscription
from app.api.types.accounts import Account, Customer, CustomerConnection
from app.api.types.entries import CreditChange, Payment
from app.api.types.node import Node
from app.api.types.providers import Provider

Search = Annotated[
    str | None,
    strawberry.argument(
        description="A part of the reference or the display name, whatever the case."
    ),
]


@strawberry.type(description="Who is calling, and what they may do.")
class Viewer:
    subject: str = strawberry.field(description="Who is calling, as the token or key names it.")
    scopes: list[str] = strawberry.field(
        description="What the token or key allows, in alphabetical order, such as `credits:read`."
    )

    @strawberry.field(description="The caller's own customer, when the caller is one.")
    async def customer(self, info: Info) -> Customer | None:
        reference = info.context.viewer.reference
        if reference is None:
            return None
        found = await info.context.loaders.customers_by_reference.load(reference)
        return Customer.of(found) if found else None


@strawberry.type(
    description="Everything that can be read; what the viewer may not see is as if it did not "
    "exist."
)
class Query:
    @strawberry.field(
        description="Any object by its global id; null when absent or not visible to the viewer."
    )
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - Relay's name
        return await nodes.node(info, id)

    @strawberry.field(description="At most 100 objects by global id, in the order asked for.")
    async def nodes(self, info: Info, ids: list[strawberry.ID]) -> list[Node | None]:
        return await nodes.nodes(info, ids)

    @strawberry.field(description="The caller and what it may do.")
    def viewer(self, info: Info) -> Viewer:
        viewer = info.context.viewer
        return Viewer(subject=viewer.subject, scopes=sorted(viewer.scopes))

    @strawberry.field(
        description="A customer by the operator's own reference; null when absent or not visible "
        "to the viewer."
    )
    async def customer(self, info: Info, reference: str) -> Customer | None:
        found = await info.context.loaders.customers_by_reference.load(reference)
        return Customer.of(found) if found else None

    @strawberry.field(description="Every customer that the viewer may see, ordered by reference.")
    async def customers(
        self,
        info: Info,
        first: int | None = UNSET,
        after: str | None = UNSET,
        last: int | None = UNSET,
        before: str | None = UNSET,
        search: Search = UNSET,
    ) -> CustomerConnection:
        arguments = customers.Arguments(first, after, last, before, search)
        return await customers.customers(info, arguments)

    @strawberry.field(description="The configured upstream providers and how they are doing.")
    def providers(self, info: Info) -> list[Provider]:
        return [Provider.of(one) for one in info.context.services.providers.values()]


schema: Any = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[Account, CreditChange, Payment],
    config=StrawberryConfig(scalar_map=SCALARS),
)
# strawberry looks at it when variables are read; graphql-core looks at documents too.
schema._schema.type_map["AccountCredentials"].is_one_of = True  # noqa: SLF001 - as in execution.py


def sdl() -> str:
    """Return the schema in its definition language."""
    return f"{schema.as_str()}\n"
