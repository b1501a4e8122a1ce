"""What a mutation names, as far as the viewer may see and change it."""

import strawberry

from app.api import ids
from app.api.context import Info
from app.model.accounts import Account, Customer
from app.model.errors import Forbidden, NotFound


async def writable_account(info: Info, global_id: strawberry.ID) -> Account:
    """Return an account that the viewer may change; raises `NotFound` and `Forbidden`."""
    account = await visible_account(info, global_id)
    owner = await info.context.loaders.customers_by_id.load(account.customer_id)
    if owner is None or not info.context.viewer.may_write(owner):
        raise Forbidden("Changing this account takes the scope accounts:write for its customer.")
    return account


async def visible_account(info: Info, global_id: strawberry.ID) -> Account:
    """Return an account; `NotFound` where it is not there or not for the viewer to see."""
    named = ids.read(global_id)
    found = None
    if named and named.kind is ids.NodeKind.ACCOUNT:
        found = await info.context.loaders.accounts_by_id.load(named.owner)
    if found is None:
        raise NotFound("There is no such account.")
    return found


async def linkable_customer(info: Info, reference: str) -> Customer:
    """Return a customer whose accounts the viewer may change; `NotFound` and `Forbidden`."""
    customer = await _visible_customer(info, reference)
    if not info.context.viewer.may_write(customer):
        raise Forbidden("Linking an account takes the scope accounts:write for its customer.")
    return customer


async def deletable_customer(info: Info, reference: str) -> Customer:
    """Return a customer that the viewer may delete; raises `NotFound` and `Forbidden`."""
    customer = await _visible_customer(info, reference)
    if not info.context.viewer.writes_all:
        raise Forbidden("Deleting a customer takes the scope accounts:write:any.")
    return customer


def require_creator(info: Info, reference: str) -> None:
    """Raise `Forbidden` for whom may not create a customer, or not see it then.

    Whoever creates is told which references are taken, which are for no other eyes.
    """
    viewer = info.context.viewer
    if not viewer.writes_all or not viewer.may_read(Customer("", reference)):
        raise Forbidden(
            "Creating a customer takes the scopes accounts:write:any and credits:read:any."
        )


async def _visible_customer(info: Info, reference: str) -> Customer:
    found = await info.context.loaders.customers_by_reference.load(reference)
    if found is None:
        raise no_such_customer()
    return found


def no_such_customer() -> NotFound:
    return NotFound("There is no such customer.")
