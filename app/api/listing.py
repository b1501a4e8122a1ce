"""From the arguments of a connection over histories to the connection."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from app.api.context import Info, Services
from app.api.histories import Question
from app.api.paging import checked
from app.api.types.connections import (
    CreditChangeConnection,
    Listed,
    PaymentConnection,
    Rows,
)
from app.api.types.inputs import (
    CreditChangeFilter,
    HistoryOrder,
    PaymentFilter,
)
from app.history import filter as conditions
from app.history.window import Window
from app.history.windows import Merged
from app.model.accounts import Account
from app.model.entries import Stream
from app.providers.page import Provider

if TYPE_CHECKING:
    from app.api.types import accounts as types


class Arguments(NamedTuple):
    """The arguments of a connection as the caller gave them."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None
    where: CreditChangeFilter | PaymentFilter | None
    order_by: HistoryOrder


_EVERYTHING: Mapping[Stream, conditions.HistoryFilter] = {
    Stream.CREDIT_CHANGES: conditions.CreditChangeFilter(),
    Stream.PAYMENTS: conditions.PaymentFilter(),
}

Show = Callable[[Account, Services], "types.Account"]


async def credit_changes(
    info: Info, owner: str, accounts: Sequence[Account], arguments: Arguments, show: Show
) -> CreditChangeConnection:
    """Return the merged credit changes of the accounts; `owner` names whose list it is."""
    listed = await _listed(info, Stream.CREDIT_CHANGES, owner, accounts, arguments, show)
    return CreditChangeConnection(listed=listed)


async def payments(
    info: Info, owner: str, accounts: Sequence[Account], arguments: Arguments, show: Show
) -> PaymentConnection:
    """Return the merged payments of the accounts; `owner` names whose list it is."""
    listed = await _listed(info, Stream.PAYMENTS, owner, accounts, arguments, show)
    return PaymentConnection(listed=listed)


async def _listed(
    info: Info,
    stream: Stream,
    owner: str,
    accounts: Sequence[Account],
    arguments: Arguments,
    show: Show,
) -> Listed:
    context = info.context
    chosen = _chosen(stream, arguments, context.services.providers)
    bound_to = f"{stream} {owner} {arguments.order_by} {chosen.canonical}"
    asked = tuple(account for account in accounts if chosen.takes(account))
    window = _window(info, arguments, bound_to)
    answer = await context.loaders.answers.load(Question(asked, stream, chosen, window))
    context.used(info, answer.sources)
    return Listed(answer, _rows(answer.merged, bound_to, asked, context.services, show))


def _rows(
    merged: Merged, bound_to: str, accounts: Sequence[Account], services: Services, show: Show
) -> Rows:
    """Return what is merged as a list of these accounts shows it."""
    key = bound_to, *map(id, accounts)
    known: tuple[Rows, Sequence[Account]] | None = merged.made.get(key)
    if known is None:
        shown = {account.id: show(account, services) for account in accounts}
        # With the accounts, so that nothing else is at their places in memory.
        known = Rows(merged.slice, shown, services.signer.places(bound_to)), accounts
        merged.keep(key, known)
    return known[0]


def _chosen(
    stream: Stream, arguments: Arguments, configured: Mapping[str, Provider]
) -> conditions.HistoryFilter:
    if arguments.where:
        return arguments.where.chosen(configured)
    return _EVERYTHING[stream]


def _window(info: Info, arguments: Arguments, bound_to: str) -> Window:
    services = info.context.services
    paging = checked(
        arguments.first,
        arguments.after,
        arguments.last,
        arguments.before,
        limit=services.page_limit,
    )
    after, before = (
        None if cursor is None else services.signer.read_place(cursor, bound_to)
        for cursor in (paging.after, paging.before)
    )
    oldest_first = arguments.order_by is HistoryOrder.OLDEST_FIRST
    return Window(paging.size, paging.from_end, after, before, oldest_first)
