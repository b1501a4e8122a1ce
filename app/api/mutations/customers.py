"""Creating and deleting of customers."""

import strawberry
from strawberry import UNSET

from app.api.context import Info
from app.api.ids import NodeId, NodeKind, written
from app.api.mutations.finding import deletable_customer, no_such_customer, require_creator
from app.api.types.accounts import Customer
from app.api.types.inputs import GIVEN_BACK, given
from app.directory.lines import parse_customer
from app.model.errors import BadUserInput


@strawberry.input(description="A customer to add.")
class CreateCustomerInput:
    reference: str = strawberry.field(
        description="The operator's own key for the customer, 1 to 200 characters; no other "
        "customer has it."
    )
    display_name: str | None = strawberry.field(
        default=UNSET,
        description="The name to show, 1 to 200 characters; null for none.",
    )
    client_mutation_id: str | None = strawberry.field(default=UNSET, description=GIVEN_BACK)


@strawberry.type(description="The customer that was added.")
class CreateCustomerPayload:
    customer: Customer
    client_mutation_id: str | None


@strawberry.input(description="The customer to delete.")
class DeleteCustomerInput:
    reference: str = strawberry.field(description="The operator's own key for the customer.")
    client_mutation_id: str | None = strawberry.field(default=UNSET, description=GIVEN_BACK)


@strawberry.type(description="The customer that was deleted.")
class DeleteCustomerPayload:
    deleted_customer_id: strawberry.ID = strawberry.field(
        description="The global id that the customer had."
    )
    client_mutation_id: str | None


@strawberry.type
class CustomerMutations:
    @strawberry.mutation(
        description="Adds a customer without accounts; takes the scope `accounts:write:any`."
    )
    async def create_customer(
        self,
        info: Info,
        input: CreateCustomerInput,  # noqa: A002 - Relay's name
    ) -> CreateCustomerPayload:
        require_creator(info)
        line = parse_customer(input.reference, given(input.display_name))
        created = await info.context.services.directory.create_customer(*line)
        if created is None:
            raise _taken()
        info.context.load_anew()
        return CreateCustomerPayload(
            customer=Customer.of(created), client_mutation_id=given(input.client_mutation_id)
        )

    @strawberry.mutation(
        description="Deletes a customer, its accounts and all that is stored of them; takes the "
        "scope `accounts:write:any`."
    )
    async def delete_customer(
        self,
        info: Info,
        input: DeleteCustomerInput,  # noqa: A002 - Relay's name
    ) -> DeleteCustomerPayload:
        customer = await deletable_customer(info, input.reference)
        if not await info.context.services.linking.delete(customer):
            raise no_such_customer()
        info.context.load_anew()
        deleted = strawberry.ID(written(NodeId(NodeKind.CUSTOMER, customer.id)))
        return DeleteCustomerPayload(
            deleted_customer_id=deleted, client_mutation_id=given(input.client_mutation_id)
        )


def _taken() -> BadUserInput:
    error = BadUserInput("reference: another customer has it; choose one of its own")
    error.field = "reference"
    return error
