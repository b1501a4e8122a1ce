"""What is told of accounts whose provider has no balances, or no histories."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from holding import ACCOUNTS, QUERY, WHOLE, of
from viewing import Asked, asking
from world import World, world

from app.providers.hostup import HostUp
from app.providers.page import Capability
from app.settings.providers import HostUpSettings


class WithoutBalances(HostUp):
    capabilities: ClassVar = frozenset({Capability.CREDIT_CHANGES})


class WithoutHistories(HostUp):
    capabilities: ClassVar = frozenset({Capability.BALANCE})


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("unsupported"), entries=30) as one:
        yield one


@asynccontextmanager
async def asking_with(served: World, kind: type[HostUp]) -> AsyncIterator[Asked]:
    """Open a gateway whose hosting provider offers less than it usually does."""
    settings = served.settings.providers["hosting"]
    assert isinstance(settings, HostUpSettings)
    async with asking(served) as asked:
        await asked.ask(WHOLE, r="C-1001")
        less = kind(settings, asked.services.directory, served.clock)
        try:
            providers = {**asked.services.providers, "hosting": less}
            yield asked.over(replace(asked.services, providers=providers))
        finally:
            await less.aclose()


async def told(served: World, kind: type[HostUp]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the hosting balance of the list, and what accounts tell, by provider."""
    async with asking_with(served, kind) as asked:
        customer = (await asked.ask(QUERY, r="C-1001"))["data"]["customer"]
        accounts = (await asked.ask(ACCOUNTS, r="C-1001"))["data"]["customer"]["accounts"]
    (balance,) = of(customer["balances"], "hosting")
    return balance, {one["provider"]["name"]: one["balance"] for one in accounts}


async def test_without_balances_it_is_unsupported_and_the_history_is_told(served: World) -> None:
    well, _ = await told(served, HostUp)
    balance, accounts = await told(served, WithoutBalances)

    assert (balance["state"], balance["readAt"], balance["error"]) == ("UNSUPPORTED", None, None)
    assert (balance["reported"], balance["drift"]) == (None, None)
    assert balance["computed"] == well["computed"]
    assert accounts["hosting"] is None
    assert accounts["cloud"]


async def test_without_histories_the_balance_alone_is_told(served: World) -> None:
    well, _ = await told(served, HostUp)
    balance, accounts = await told(served, WithoutHistories)

    assert balance["state"] == "FRESH"
    assert balance["reported"] == well["reported"]
    assert (balance["computed"], balance["drift"]) == (None, None)
    assert accounts["hosting"] == {**balance, "account": accounts["hosting"]["account"]}
