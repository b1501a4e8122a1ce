"""What an answer is made of: it is the same answer for as long as that stays as it is."""

from collections.abc import Mapping
from typing import Any

from app.responses.lookups import Lookup


class Dependencies:
    """Noted while one answer is made: versions of documents by name, and what was looked up.

    It `is_even` while no part was made of another version than the rest.
    """

    def __init__(self) -> None:
        self._documents: dict[str, str] = {}
        self._lookups: dict[Lookup, Any] = {}
        self.is_even = True

    @property
    def documents(self) -> Mapping[str, str]:
        return self._documents

    @property
    def lookups(self) -> Mapping[Lookup, Any]:
        return self._lookups

    def read(self, document: str, version: str) -> None:
        """Note that a document was read at this version."""
        if self._documents.setdefault(document, version) != version:
            self.is_even = False

    def looked_up(self, lookup: Lookup, found: object) -> None:
        """Note what the directory said."""
        if self._lookups.setdefault(lookup, found) != found:
            self.is_even = False
