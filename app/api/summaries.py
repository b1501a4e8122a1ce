"""From the arguments of a summary to the summary."""

from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from app.api.context import Info, Services
from app.api.histories import Selection
from app.api.types.inputs import CreditChangeFilter, given
from app.api.types.sources import HistorySource
from app.api.types.summary import Calendar, CreditSummary, UnitSummary
from app.history import filter as conditions
from app.history.summary import SummaryBucket, summed
from app.model.accounts import Account
from app.model.entries import Stream
from app.model.errors import BadUserInput

if TYPE_CHECKING:
    from app.api.types import accounts as types

# The names of IANA's own; a system's folder of zones has other things in it too.
_ZONE_NAMES = frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split())


class Arguments(NamedTuple):
    """The arguments of a summary as the caller gave them."""

    start: datetime | None
    end: datetime | None
    bucket: SummaryBucket
    time_zone: str
    where: CreditChangeFilter | None


async def credit_summary(
    info: Info,
    accounts: Sequence[Account],
    arguments: Arguments,
    show: Callable[[Account, Services], "types.Account"],
) -> CreditSummary:
    """Return the totals over the credit changes of the accounts; raises `BadUserInput`."""
    context = info.context
    configured = context.services.providers
    calendar = Calendar(arguments.bucket, _zone(arguments.time_zone))
    chosen = _chosen(arguments, context.services)
    asked = tuple(account for account in accounts if chosen.takes(account))
    whole = await context.loaders.wholes.load(Selection(asked, Stream.CREDIT_CHANGES, chosen))
    context.used(info, whole.sources)
    units = summed(whole.rows, {account.id: account.provider for account in asked})
    return CreditSummary(
        units=[UnitSummary.of(unit, configured, calendar) for unit in units],
        sources=[
            HistorySource(source=source, account=show(source.account, context.services))
            for source in whole.sources
        ],
    )


def _chosen(arguments: Arguments, services: Services) -> conditions.CreditChangeFilter:
    start, end = given(arguments.start), given(arguments.end)
    if start and end and start > end:
        raise BadUserInput("The summary's `from` is after its `to`; give the earlier one first.")
    where = arguments.where
    chosen = where.chosen(services.providers) if where else conditions.CreditChangeFilter()
    return chosen.between(start, end)


def _zone(name: str) -> ZoneInfo:
    if name not in _ZONE_NAMES:
        raise BadUserInput('`timeZone` takes an IANA name such as "Europe/Stockholm" or "UTC".')
    return ZoneInfo(name)
