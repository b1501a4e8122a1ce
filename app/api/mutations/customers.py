"""Creating and deleting of customers."""

import strawberry
from strawberry import UNSET

from app.api.context import Info
from app.api.ids import NodeId, NodeKind, written
from app.api.mutations.finding import deletable_customer, no_such_customer, require_creator
from app.api.types.accounts import Customer
from app.api.types.inputs import given
from app.directory.lines import parse_customer
from app.model.errors import BadUserInput


@strawberry.input
class CreateCustomerInput:
    reference: str
    display_name: str | None = UNSET
    client_mutation_id: str | None = UNSET


@strawberry.type
class CreateCustomerPayload:
    customer: Customer
    client_mutation_id: str | None


@strawberry.input
class DeleteCustomerInput:
    reference: str
    client_mutation_id: str | None = UNSET


@strawberry.type
class DeleteCustomerPayload:
    deleted_customer_id: strawberry.ID
    client_mutation_id: str | None


@strawberry.type
class CustomerMutations:
    @strawberry.mutation
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

    @strawberry.mutation
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
