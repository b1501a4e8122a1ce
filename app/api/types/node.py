"""What every object with an id has."""

import strawberry


@strawberry.interface(description="An object with a globally unique, permanent id.")
class Node:
    id: strawberry.ID


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None
