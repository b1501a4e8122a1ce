"""Every mutation of customers and accounts by every viewer: only what the scopes allow is done.

What may not be seen is answered exactly as what does not exist, and is there afterwards as before.
"""

from collections.abc import AsyncIterator
from itertools import chain, combinations
from pathlib import Path

import pytest
import pytest_asyncio
from callers import Callers, callers, viewer
from changes import CHANGES, KEY, may

from app.api.ids import NodeId, NodeKind, written
from app.model.accounts import Account
from app.model.viewer import Scope

MINE, OTHERS, NOBODY = "C-1", "C-2", "C-none"
SCOPES = [frozenset(some) for some in chain.from_iterable(combinations(Scope, n) for n in range(5))]
VIEWERS = [viewer(reference, scopes) for reference in (MINE, OTHERS, None) for scopes in SCOPES]
ABSENT = written(NodeId(NodeKind.ACCOUNT, "f" * 16))


@pytest_asyncio.fixture
async def served(tmp_path: Path) -> AsyncIterator[Callers]:
    async with callers(tmp_path, entries=5) as one:
        yield one


async def made(served: Callers) -> Account:
    """Return the one account of a customer, both made where they are not there."""
    directory = served.services.directory
    await directory.put_customer(MINE, None)
    (customer,) = await directory.customers_by_reference([MINE])
    assert customer
    await directory.put_account(customer.id, "hosting", "main", {"apiKey": KEY}, None)
    ((account,),) = await directory.accounts_by_customer([customer.id])
    return account


@pytest.mark.parametrize("way", CHANGES)
async def test_only_what_the_scopes_allow_is_done(way: str, served: Callers) -> None:
    change, done = CHANGES[way], 0
    for who in VIEWERS:
        account = await made(served)
        named = written(NodeId(NodeKind.ACCOUNT, account.id))
        absent = await served.ask(who, change.query(NOBODY, ABSENT))
        there = await served.ask(who, change.query(MINE, named))
        (left,) = await served.services.directory.accounts_by_id([account.id])
        (created,) = await served.services.directory.customers_by_reference([NOBODY])

        every = {Scope.READ_ANY, Scope.WRITE_ANY} & who.scopes
        sees = every or ({Scope.READ, Scope.WRITE} & who.scopes and who.reference == MINE)
        if sees and may(who, change, MINE):
            codes = [error["extensions"]["code"] for error in there.get("errors", [])]
            assert codes == ([change.told] if change.told else []), who
            done += 1
        else:
            assert left == account, who
        if not sees:
            assert there == absent, who
        elif not may(who, change, MINE):
            assert [error["extensions"]["code"] for error in there["errors"]] == ["FORBIDDEN"], who
        if created:
            assert Scope.WRITE_ANY in who.scopes, who
            await served.services.directory.delete_customer(created.id)
    assert done > 0
