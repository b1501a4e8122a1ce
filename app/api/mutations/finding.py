"""What a mutation names, as far as the viewer may know of it and change it.

Who may change a thing may know that it is there, though not read what it holds.
"""

import strawberry

from app.api import ids
from app.api.context import Info
from app.model.accounts import Account, Customer
from app.model.errors import Forbidden, NotFound
from app.model.viewer import Viewer


async def writable_account(info: Info, account_id: strawberry.ID) -> Account:
    """Return an account that the viewer may change; raises `NotFound` and `Forbidden`."""
    named = ids.read(account_id)
    if named is None or named.kind is not ids.NodeKind.ACCOUNT:
        raise _no_such_account()
    directory, viewer = info.context.services.directory, info.context.viewer
    (account,) = await directory.accounts_by_id([named.owner])
    owner = (await directory.customers_by_id([account.customer_id]))[0] if account else None
    if account is None or not _may_know(viewer, owner):
        raise _no_such_account()
    if owner is None or not viewer.may_write(owner):
        raise Forbidden("Changing this account takes the scope accounts:write for its customer.")
    return account


async def linkable_customer(info: Info, reference: str) -> Customer:
    """Return a customer whose accounts the viewer may change; `NotFound` and `Forbidden`."""
    customer = await _customer(info, reference)
    if not info.context.viewer.may_write(customer):
        raise Forbidden("Linking an account takes the scope accounts:write for its customer.")
    return customer


async def deletable_customer(info: Info, reference: str) -> Customer:
    """Return a customer that the viewer may delete; raises `NotFound` and `Forbidden`."""
    customer = await _customer(info, reference)
    if not info.context.viewer.writes_all:
        raise Forbidden("Deleting a customer takes the scope accounts:write:any.")
    return customer


def require_creator(info: Info) -> None:
    """Raise `Forbidden` for whom may not create a customer."""
    if not info.context.viewer.writes_all:
        raise Forbidden("Creating a customer takes the scope accounts:write:any.")


async def _customer(info: Info, reference: str) -> Customer:
    (found,) = await info.context.services.directory.customers_by_reference([reference])
    if found is None or not _may_know(info.context.viewer, found):
        raise no_such_customer()
    return found


def _may_know(viewer: Viewer, customer: Customer | None) -> bool:
    return customer is not None and (viewer.may_read(customer) or viewer.may_write(customer))


def no_such_customer() -> NotFound:
    return NotFound("There is no such customer.")


def _no_such_account() -> NotFound:
    return NotFound("There is no such account.")
