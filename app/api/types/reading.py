"""Fields that are read from what an object was made of, and only where they are asked for."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import strawberry

from app.api.compiling.readings import ATTRIBUTES, REPEATABLE

How = Callable[[Any], object]


def read(how: How | str, description: str | None = None) -> Any:  # noqa: ANN401 - as `strawberry.field` is typed
    """Return a field of an object; `how` takes the object as `self` and does nothing but read.

    It may be the names of attributes instead, with dots between them.
    """
    metadata: dict[str, object] = {REPEATABLE: True}
    if isinstance(how, str):
        metadata[ATTRIBUTES] = how
        how = _reader(how)
    return strawberry.field(resolver=how, description=description, metadata=metadata)


def _reader(attributes: str) -> How:
    get = attrgetter(attributes)

    def read_them(self: Any) -> object:  # noqa: ANN401 - of any type
        found: object = get(self)
        return found

    return read_them
