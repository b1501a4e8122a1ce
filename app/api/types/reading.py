"""Fields that are read from what an object was made of, and only where they are asked for."""

from collections.abc import Callable
from typing import Any

import strawberry

from app.api.compiling.readings import REPEATABLE


def read(how: Callable[[Any], object], description: str | None = None) -> Any:  # noqa: ANN401 - as `strawberry.field` is typed
    """Return a field of an object; `how` takes the object as `self` and does nothing but read."""
    return strawberry.field(resolver=how, description=description, metadata={REPEATABLE: True})
