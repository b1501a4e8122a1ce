"""Coroutines that usually have their result at once, for whoever does not want to wait."""

from collections.abc import Awaitable, Generator
from types import coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine whose first step was taken: either it `is_done`, or its rest can be awaited."""

    __slots__ = ("_steps", "_waits_for", "is_done", "result")

    result: T

    def __init__(self, begun: Awaitable[T]) -> None:
        self._steps = begun.__await__()
        try:
            self._waits_for = next(self._steps)
        except StopIteration as done:
            self.is_done, self.result = True, done.value
        else:
            self.is_done = False

    async def rest(self) -> T:
        """Return the result, once it is there."""
        if not self.is_done:
            self.result = await _rest(self._steps, self._waits_for)
            self.is_done = True
        return self.result


@coroutine
def _rest(steps: Generator[Any, Any, T], waits_for: object) -> Generator[Any, Any, T]:
    """Go on with what waits for something already: pass on what it waits for, and what comes."""
    try:
        while True:
            try:
                came = yield waits_for
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - it is for whoever waits, as an end is
                waits_for = steps.throw(error)
            else:
                waits_for = steps.send(came)
    except StopIteration as done:
        result: T = done.value
        return result
