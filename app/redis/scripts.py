"""Lua scripts, known to Redis by their digest."""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1


@dataclass(frozen=True)
class Script:
    """The source of a script; all keys of one call share a hash tag."""

    source: str

    @cached_property
    def sha1(self) -> str:
        """The name that Redis gives this source."""
        return sha1(self.source.encode(), usedforsecurity=False).hexdigest()
