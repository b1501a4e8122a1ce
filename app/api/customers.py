"""From the arguments of `customers` to its connection: keyset pages by reference."""

from typing import NamedTuple

from app.api.context import Info
from app.api.paging import checked
from app.api.types.accounts import Customer, CustomerConnection, CustomerEdge
from app.api.types.inputs import given
from app.api.types.node import PageInfo

# Sorts after a reference and before every longer one: references hold no control characters.
_JUST_AFTER = "\x01"


class Arguments(NamedTuple):
    """The arguments of `customers` as the caller gave them."""

    first: int | None
    after: str | None
    last: int | None
    before: str | None
    search: str | None


async def customers(info: Info, arguments: Arguments) -> CustomerConnection:
    """Return the customers that the viewer may see, ordered by reference."""
    services = info.context.services
    first, after, last, before, search = arguments
    search = given(search) or None
    bound_to = f"customers {search!r}"
    paging = checked(first, after, last, before, limit=services.page_limit)
    start, end = (
        None if cursor is None else services.signer.read(cursor, bound_to).decode()
        for cursor in (paging.after, paging.before)
    )
    visible = _Visible(info, search)
    shown = await visible.between(start, end, paging.size, backwards=paging.from_end)
    if shown:
        has_previous = await visible.any_before(shown[0].reference)
        has_next = await visible.any_after(shown[-1].reference)
    elif paging.from_end:  # an empty page stands right before `before`
        has_previous = await visible.any_before(end)
        has_next = end is not None and (await visible.has(end) or await visible.any_after(end))
    else:  # or right after `after`
        has_previous = start is not None and await visible.any_before(start + _JUST_AFTER)
        has_next = await visible.any_after(start)
    cursors = [services.signer.write(one.reference.encode(), bound_to) for one in shown]
    return CustomerConnection(
        edges=[
            CustomerEdge(cursor=cursor, node=one)
            for cursor, one in zip(cursors, shown, strict=True)
        ],
        page_info=PageInfo(
            has_next_page=has_next,
            has_previous_page=has_previous,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
        count=visible.count,
    )


class _Visible:
    """The customers that a search finds and the viewer may see, by reference."""

    def __init__(self, info: Info, search: str | None) -> None:
        self._context = info.context
        self._search = search

    async def between(
        self, low: str | None, high: str | None, limit: int, *, backwards: bool = False
    ) -> list[Customer]:
        if not limit:
            return []
        directory, viewer = self._context.services.directory, self._context.viewer
        if not viewer.reads_all:
            own = await self._own()
            is_between = own and (not low or own.reference > low)
            return [own] if own and is_between and (not high or own.reference < high) else []
        found = await directory.customers_page(
            search=self._search, after=low, before=high, limit=limit, backwards=backwards
        )
        return [Customer.of(one) for one in found]

    async def count(self) -> int:
        if not self._context.viewer.reads_all:
            return int(await self._own() is not None)
        return await self._context.services.directory.customers_count(self._search)

    async def _own(self) -> Customer | None:
        """Return the viewer's own customer where the search finds it."""
        reference = self._context.viewer.reads
        if reference is None:
            return None
        found = await self._context.services.directory.customers_page(
            search=self._search,
            after=None,
            before=reference + _JUST_AFTER,
            limit=1,
            backwards=True,
        )
        return next((Customer.of(one) for one in found if one.reference == reference), None)

    async def any_before(self, reference: str | None) -> bool:
        return bool(await self.between(None, reference, 1, backwards=True))

    async def any_after(self, reference: str | None) -> bool:
        return bool(await self.between(reference, None, 1))

    async def has(self, reference: str) -> bool:
        up_to_it = await self.between(None, reference + _JUST_AFTER, 1, backwards=True)
        return any(one.reference == reference for one in up_to_it)
