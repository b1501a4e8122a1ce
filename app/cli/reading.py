"""Reading histories as far back as a command needs them, and saying what kept it from that."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from app.api.context import Services
from app.mirror.documents import Demand
from app.mirror.reading import Reading
from app.mirror.snapshot import Snapshot
from app.model.accounts import Account
from app.model.entries import Stream
from app.model.errors import (
    GatewayError,
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamUnauthorized,
)
from app.model.instants import written

# A refresh is a few calls, and each has its provider's own timeout; this only ends the rest.
_PATIENCE = timedelta(minutes=5)
_SECOND = timedelta(seconds=1)


async def newest(opened: Services, account: Account, stream: Stream) -> Reading:
    """Return what is known of a history, refreshed where that can be; raises `UpstreamError`."""
    demand = Demand(opened.fresh_for[account.provider], _PATIENCE)
    return await opened.mirror.read(account, stream, demand)


async def deeper(
    opened: Services,
    account: Account,
    stream: Stream,
    snapshot: Snapshot,
    back_to: datetime | None = None,
) -> AsyncIterator[Snapshot]:
    """Yield a history, and ever more of it until all at or after `back_to` is known.

    None is the beginning. Raises `UpstreamError`.
    """
    yield snapshot
    while (reached := snapshot.timeline.horizon) and not (back_to and reached < back_to):
        snapshot = await opened.mirror.deepen(account, stream, reached)
        if snapshot.timeline.horizon == reached:
            raise UpstreamInvalidResponse("The history does not go on.")
        yield snapshot


def told(error: GatewayError, again: str) -> str:
    """Say what failed, and whose turn it is to do what; `again` is to do it another time."""
    if not isinstance(error, UpstreamError):
        return f"{error}; {again}"
    return f"{error.code}: {error} {_advice(error, again.capitalize())}"


def _advice(error: UpstreamError, again: str) -> str:
    if isinstance(error, UpstreamUnauthorized):
        if error.relink:
            return "Link the account again with new credentials."
        return "Mend the provider's part of the configuration."
    if isinstance(error, UpstreamInvalidResponse):
        return "Look at the provider's base_url; else it has changed what it answers."
    if error.retry_at is None:
        return f"{again}."
    return f"{again} after {written(error.retry_at.replace(microsecond=0) + _SECOND)}."
