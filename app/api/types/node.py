"""What every object with an id has."""

import strawberry


@strawberry.interface(description="An object with a globally unique, permanent id.")
class Node:
    id: strawberry.ID


@strawberry.type(
    description="Where a page begins and ends in its list, and whether there is more around it."
)
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None
