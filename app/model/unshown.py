"""Values that are never written out."""

from typing import Any

import msgspec


class Unshown(msgspec.Struct, frozen=True):
    """A value that holds a secret and is never written out."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return nothing to be shown by rich either."""
        return []
