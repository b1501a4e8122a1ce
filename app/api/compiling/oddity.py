"""How a compiled function is tried: what it is given, and why it gives up to the stock executor."""

from collections.abc import Callable
from typing import Any

from graphql.execution.values import VariableValues

# So many failures in a row are no accident: such values are not what was expected here.
_MOST_FAILURES = 20


class Odd(Exception):
    """A value is not of the plain kind that was compiled for."""


class Hole(Odd):
    """The selection asks for what is no plain data, such as a resolver's result."""


FAILED = object()


class Given:
    """What a compiled function is given beside a value, for one run of it.

    `shared` is what many objects have in common, by function and identity: it, and what it became.
    """

    __slots__ = ("shared", "variables")

    def __init__(self, variables: VariableValues) -> None:
        self.variables = variables
        self.shared: dict[tuple[str, int], tuple[object, object]] = {}


class Attempt:
    """A compiled function, until it proves to be of no use; None for one of no use at all."""

    __slots__ = ("_failures", "_function")

    def __init__(self, function: Callable[[Any, Given], Any] | None) -> None:
        self._function = function
        self._failures = 0

    def __call__(self, value: object, variables: VariableValues) -> object:
        """Return what the function makes of a value with these variables, or `FAILED`."""
        if self._function is None:
            return FAILED
        try:
            made = self._function(value, Given(variables))
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
