"""
Work that is begun at once, as eager tasks of later Pythons are: what need not wait takes no turn.

`Begun` takes a step of it for whoever asks, in its task and context, and leaves the rest to be
awaited there. `begun` makes it independent, as a task is.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import copy_context
from types import coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """Work whose first step was taken: either it `is_done`, or its rest can be awaited."""

    __slots__ = ("_steps", "_waits_for", "is_done", "result")

    result: T

    def __init__(self, work: Awaitable[T]) -> None:
        self._steps = work.__await__()
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


def begun(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Return a future of what the work returns: done already, or a task of what is left of it.

    What it does before it first waits is done by whoever calls this, in a context of its own. It
    must not ask there for the task that it is in, as a timeout does.
    """
    context = copy_context()
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    try:
        first = context.run(Begun, work)
    except asyncio.CancelledError:
        done.cancel()
    except Exception as error:  # noqa: BLE001 - it is whoever awaits this who is told
        done.set_exception(error)
    else:
        if not first.is_done:
            return asyncio.create_task(first.rest(), context=context)
        done.set_result(first.result)
    return done


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
