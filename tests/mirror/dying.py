"""
A gateway that works on mirrors and is killed on the way; run as a script by `mortal`.

Each line that it is given is a task, done by a child of its own, which kills itself at a step:
before or after an operation of Redis or a call of the provider. Lines tell of each such call, and
of how the child ended.
"""

import asyncio
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import wraps
from typing import Any

import msgspec
from list_provider import CHANGES, TestClock, mirror_of
from mortal import Task, account, provider_of
from processes import NOW

from app.mirror.store import RedisStore
from app.redis.connection import connect


def tell(*words: object) -> None:
    """Write a line at once; nothing stays behind for a child to write again."""
    os.write(sys.stdout.fileno(), (" ".join(map(str, words)) + "\n").encode())


class Steps:
    """Counts the steps, and ends at the last one."""

    def __init__(self, die_at: int) -> None:
        self._left = die_at

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, operation: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @wraps(operation)
        async def counted(*args: Any, **named: Any) -> Any:  # noqa: ANN401
            self.step()
            answer = await operation(*args, **named)
            self.step()
            return answer

        return counted


async def work(task: Task) -> None:
    steps, clock, provider = Steps(task.die_at), TestClock(), provider_of(task.paging)
    clock.now = datetime.fromisoformat(task.now)

    answer = provider.page

    async def page(*args: Any) -> Any:  # noqa: ANN401
        tell("asked")
        await asyncio.sleep(task.hangs_seconds)
        return await answer(*args)

    provider.page = steps.around(page)  # type: ignore[assignment, method-assign]
    for name, operation in inspect.getmembers(RedisStore, inspect.iscoroutinefunction):
        setattr(RedisStore, name, steps.around(operation))
    redis = connect(task.url)
    async with mirror_of(provider, clock, redis=redis) as mirror:
        if task.work == "refresh":
            await mirror.read(account(task.account), CHANGES, NOW)
        elif task.work == "deepen":
            await mirror.deepen(account(task.account), CHANGES, None)
        else:
            await (mirror.rebuild(account(task.account), CHANGES) or asyncio.sleep(0))
    await redis.aclose()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(work(msgspec.json.decode(line, type=Task)))
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        tell("child", child)
        _, status = os.waitpid(child, 0)
        tell("ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
