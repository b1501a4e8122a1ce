"""Begins work at once, as eager tasks of later Pythons do: what need not wait takes no turn."""

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import copy_context
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def begun(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Return a future of what the work returns: done already, or a task of what is left of it.

    What it does before it first waits is done by whoever calls this, in a context of its own. It
    must not ask there for the task that it is in, as a timeout does.
    """
    context = copy_context()
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    try:
        waits_for = context.run(work.send, None)
    except StopIteration as returned:
        done.set_result(returned.value)
    except asyncio.CancelledError:
        done.cancel()
    except Exception as error:  # noqa: BLE001 - it is whoever awaits this who is told
        done.set_exception(error)
    else:
        rest = _finished(_Rest(work, waits_for))
        return asyncio.create_task(rest, context=context)
    return done


async def _finished(rest: "_Rest[T]") -> T:
    return await rest


class _Rest(Generic[T]):
    """Work that has begun, and waits for what it gave out."""

    def __init__(self, work: Coroutine[Any, Any, T], waits_for: object) -> None:
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[object, object, T]:
        given = self._waits_for
        try:
            while True:
                try:
                    sent = yield given
                except BaseException as error:  # noqa: BLE001 - it is the work's to take
                    given = self._work.throw(error)
                else:
                    given = self._work.send(sent)
        except StopIteration as returned:
            found: T = returned.value
            return found
