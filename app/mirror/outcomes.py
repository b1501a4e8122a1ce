"""What follows from how asking a provider for an account's document ended."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from app.mirror.documents import Name
from app.mirror.keeper import Keeper
from app.model.accounts import Account, AccountStatus
from app.model.errors import UpstreamError, UpstreamUnauthorized
from app.observing.spans import span
from app.providers.rings.counting import ANSWERED, outcome_of

Mark = Callable[[str, AccountStatus], Awaitable[None]]


@asynccontextmanager
async def noted(
    keeper: Keeper[Any], name: Name, account: Account, mark: Mark, work: str
) -> AsyncIterator[None]:
    """Remember a failure, and mark whether the account's credentials are still accepted.

    `work` is the name by which it is counted.
    """
    reads = keeper.metrics.mirror_reads
    try:
        with span(f"mirror {work}", {"credit_gateway.provider": account.provider}):
            yield
    except UpstreamError as error:
        reads.add(account.provider, work, outcome_of(error))
        await keeper.failed(name, error)
        if isinstance(error, UpstreamUnauthorized) and error.relink:
            await mark(account.id, AccountStatus.NEEDS_RELINK)
        raise
    reads.add(account.provider, work, ANSWERED)
    keeper.failures.clear(name.text)
    if account.status is not AccountStatus.ACTIVE:
        await mark(account.id, AccountStatus.ACTIVE)
