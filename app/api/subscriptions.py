"""The fields of `Subscription`: what is new, each event resolved as a request of its own."""

from collections.abc import AsyncIterator, Callable
from typing import Generic, Self, TypeVar, cast

import strawberry

from app.api.context import Info
from app.api.types import accounts as types
from app.api.types.entries import CreditChange, Payment
from app.feeds.listener import Listener, News
from app.model import entries
from app.model.entries import Stream
from app.model.errors import NotFound

T = TypeVar("T")


@strawberry.type(description="What is told as it happens, to callers that keep a stream open.")
class Subscription:
    @strawberry.subscription(
        description="Entries that appear in the customer's credit history from now on."
    )
    async def credit_change_added(self, info: Info, reference: str) -> AsyncIterator[CreditChange]:
        def shown(news: News) -> CreditChange:
            account = types.Account.of(news.account, info.context.services)
            return CreditChange.of(cast(entries.CreditChange, news.entry), account)

        return Events(await _listener(info, reference, Stream.CREDIT_CHANGES), shown)

    @strawberry.subscription(description="Payments that appear or change from now on.")
    async def payment_changed(self, info: Info, reference: str) -> AsyncIterator[Payment]:
        def shown(news: News) -> Payment:
            account = types.Account.of(news.account, info.context.services)
            return Payment.of(cast(entries.Payment, news.entry), account)

        return Events(await _listener(info, reference, Stream.PAYMENTS), shown)


class Events(Generic[T]):
    """Iterates over what a listener is told, as the schema shows it; `aclose` ends it at once.

    It is no generator, because one that was never begun has nothing that `aclose` could end.
    """

    def __init__(self, listener: Listener, shown: Callable[[News], T]) -> None:
        self._listener = listener
        self._shown = shown

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        return self._shown(await anext(self._listener))

    async def aclose(self) -> None:
        await self._listener.aclose()


async def _listener(info: Info, reference: str, stream: Stream) -> Listener:
    """Begin to listen to a customer; `NotFound` for one that the viewer may not see either."""
    customer = await info.context.loaders.customers_by_reference.load(reference)
    if customer is None:
        raise NotFound("There is no such customer.")
    return await info.context.services.feeds.listen(customer, stream)
