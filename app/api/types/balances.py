"""What accounts hold."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from app.api.balances import AccountBalance
from app.api.context import Info, Services
from app.api.histories import SourceState
from app.api.types.money import Money
from app.api.types.sources import SourceError
from app.history.balances import Holding
from app.model import accounts as model

if TYPE_CHECKING:
    from app.api.types.accounts import Account

Show = Callable[[model.Account, Services], "Account"]


@strawberry.type(
    description="What one account holds in one unit, and whether its history adds up to it."
)
class Balance:
    account: Annotated["Account", strawberry.lazy("app.api.types.accounts")]
    reported: Money | None = strawberry.field(
        description="What the provider says the account holds."
    )
    computed: Money | None = strawberry.field(
        description="The sum of the history; null unless the history is complete."
    )
    drift: Money | None = strawberry.field(
        description="reported minus computed; null when either is."
    )
    read_at: datetime | None = strawberry.field(
        description="When the provider told what it reports; null when nothing is reported."
    )
    state: SourceState = strawberry.field(
        description="How far to trust `reported`; UNSUPPORTED when the provider tells no balances."
    )
    error: SourceError | None = strawberry.field(
        description="Why the state is STALE or UNAVAILABLE."
    )

    @classmethod
    def of(cls, found: AccountBalance, holding: Holding, account: "Account") -> Self:
        return cls(
            account=account,
            reported=Money.maybe(holding.reported),
            computed=Money.maybe(holding.computed),
            drift=Money.maybe(holding.drift),
            read_at=found.read_at,
            state=found.state,
            error=SourceError.maybe(found.error),
        )


async def balances_of(info: Info, accounts: Sequence[model.Account], show: Show) -> list[Balance]:
    """Return what each account holds, in their order, each unit for itself."""
    context = info.context
    found = await asyncio.gather(*(context.loaders.balances.load(one) for one in accounts))
    context.told(info, found)
    shown = [show(account, context.services) for account in accounts]
    return [
        Balance.of(one, holding, account)
        for one, account in zip(found, shown, strict=True)
        for holding in one.holdings
    ]


async def balance_of(info: Info, account: model.Account, show: Show) -> Balance | None:
    """Return what the account holds; None where it is not one amount, or never told."""
    context = info.context
    found = await context.loaders.balances.load(account)
    context.told(info, [found])
    if found.state is SourceState.UNSUPPORTED or len(found.holdings) != 1:
        return None
    return Balance.of(found, found.holdings[0], show(account, context.services))
