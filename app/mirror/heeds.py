"""Passes the word that a document changed on to those who heed that document."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Heed = Callable[[str], None]
"""Takes the word that a document changed: a version, PURGED, or "" where words were lost."""


class Heeds:
    """Who heeds which document, each for as long as its block lasts."""

    def __init__(self) -> None:
        self._of: dict[str, set[Heed]] = {}

    @contextmanager
    def heeding(self, name: str, heed: Heed) -> Iterator[None]:
        """Pass on each word of a document, of whichever process, after it was heeded here."""
        self._of.setdefault(name, set()).add(heed)
        try:
            yield
        finally:
            self._of[name].discard(heed)
            if not self._of[name]:
                del self._of[name]

    def pass_on(self, name: str, word: str) -> None:
        """Tell a word to all who heed the document now."""
        for heed in list(self._of.get(name, ())):
            heed(word)

    def pass_on_to_all(self, word: str) -> None:
        """Tell a word of every document that is heeded."""
        for name in list(self._of):
            self.pass_on(name, word)
