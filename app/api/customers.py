"""From the arguments of `customers` to its connection: keyset pages by reference."""

from typing import NamedTuple

from app.api.context import Info
from app.api.paging import checked
from app.api.types.accounts import Customer, CustomerConnection, CustomerEdge
from app.api.types.inputs import given
from app.api.types.node import PageInfo

# Sorts after a reference and before every longer one: references hold no control characters.
_JUST_AFTER = "\0"


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

    async def page(
        low: str | None, high: str | None, limit: int, *, backwards: bool
    ) -> list[Customer]:
        found = await services.directory.customers_page(
            search=search, after=low, before=high, limit=limit, backwards=backwards
        )
        return [Customer.of(one) for one in found if info.context.viewer.may_read(one)]

    shown = await page(start, end, paging.size, backwards=paging.from_end) if paging.size else []
    low: str | None
    high: str | None
    if shown:
        low, high = shown[0].reference, shown[-1].reference
    elif paging.from_end:  # an empty page stands at the end of what was asked for, or its start
        low = high = end
    else:
        low = high = start
    before_it = low if shown or low is None else low + _JUST_AFTER
    is_at_end = not shown and paging.from_end and end is None
    is_at_start = not shown and not paging.from_end and start is None
    cursors = [services.signer.write(one.reference.encode(), bound_to) for one in shown]
    return CustomerConnection(
        edges=[
            CustomerEdge(cursor=cursor, node=one)
            for cursor, one in zip(cursors, shown, strict=True)
        ],
        page_info=PageInfo(
            has_next_page=not is_at_end and bool(await page(high, None, 1, backwards=False)),
            has_previous_page=not is_at_start
            and bool(await page(None, before_it, 1, backwards=True)),
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        ),
        search=search,
    )
