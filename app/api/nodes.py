"""Any object by its global id."""

import asyncio
from collections.abc import Sequence
from typing import cast

import strawberry

from app.api import ids
from app.api.context import Info
from app.api.loaders import EntryKey
from app.api.types.accounts import Account, Customer
from app.api.types.entries import CreditChange, Payment
from app.api.types.node import Node
from app.model import entries
from app.model.accounts import Account as AccountRecord
from app.model.errors import BadUserInput
from app.providers.page import supports

_MOST = 100


async def nodes(info: Info, global_ids: Sequence[strawberry.ID]) -> list[Node | None]:
    """Return the objects in the order asked for, None for each that is not visible.

    An entry that cannot be read is the error in its place, which fails that place alone.
    """
    if len(global_ids) > _MOST:
        raise BadUserInput(f"`nodes` takes at most {_MOST} ids; ask in several requests.")
    found = await asyncio.gather(*(node(info, one) for one in global_ids), return_exceptions=True)
    return cast("list[Node | None]", found)


async def node(info: Info, global_id: strawberry.ID) -> Node | None:
    """Return an object; None when absent or not visible. Raises `UpstreamError` for an entry."""
    named = ids.read(global_id)
    loaders = info.context.loaders
    if named is None:
        return None
    if named.kind is ids.NodeKind.CUSTOMER:
        customer = await loaders.customers_by_id.load(named.owner)
        return Customer.of(customer) if customer else None
    account = await loaders.accounts_by_id.load(named.owner)
    if account is None:
        return None
    if named.entry is None:
        return Account.of(account, info.context.services)
    return await _entry(info, account, named.kind, named.entry)


async def _entry(
    info: Info, record: AccountRecord, kind: ids.NodeKind, entry_id: str
) -> Node | None:
    services = info.context.services
    is_change = kind is ids.NodeKind.CREDIT_CHANGE
    stream = entries.Stream.CREDIT_CHANGES if is_change else entries.Stream.PAYMENTS
    if not supports(services.providers[record.provider], stream):
        return None
    found, source = await info.context.loaders.entries.load(EntryKey(record, stream, entry_id))
    info.context.used(info, [source])
    if found is None:
        return None
    account = Account.of(record, services)
    if is_change:
        return CreditChange.of(cast(entries.CreditChange, found), account)
    return Payment.of(cast(entries.Payment, found), account)
