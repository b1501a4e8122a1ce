"""Why a compiled selection gives up, and what it was tried for is left to the stock executor."""

from collections.abc import Callable
from typing import Any

# So many failures in a row are no accident: such values are not what was expected here.
_MOST_FAILURES = 20


class Odd(Exception):
    """A value is not of the plain kind that was compiled for."""


class Hole(Odd):
    """The selection asks for what is no plain data, such as a resolver's result."""


FAILED = object()


class Attempt:
    """A compiled function, until it proves to be of no use; None for one of no use at all."""

    __slots__ = ("_failures", "_function")

    def __init__(self, function: Callable[[Any, Any], Any] | None) -> None:
        self._function = function
        self._failures = 0

    def __call__(self, value: object, variables: object) -> object:
        """Return what the function makes of a value with these variables, or `FAILED`."""
        if self._function is None:
            return FAILED
        try:
            made = self._function(value, variables)
        except Hole:
            self._function = None
            return FAILED
        except Exception:  # noqa: BLE001 - whatever it is, the stock executor meets it again
            self._failures += 1
            if self._failures >= _MOST_FAILURES:
                self._function = None
            return FAILED
        self._failures = 0
        return made
