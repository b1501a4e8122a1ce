"""Processes that ask a Cloudreve for an account, and may be killed at a step of renewing it.

Run as a script, it reads tasks, one a line, and does each in a child of its own.
"""

import asyncio
import os
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import wraps
from typing import Any

import msgspec

from app.cli import logs
from app.directory.directory import Directory
from app.directory.vault import Vault
from app.model.accounts import Account
from app.model.clock import utc_now
from app.model.errors import UpstreamError
from app.providers.http import Upstream
from app.providers.page import Provider
from app.providers.registry import make
from app.settings.providers import CloudreveSettings

KEY = b"k" * 32
PROVIDER = "cloud"
STEPS = {
    "turn": (Directory, "take_turn"),
    "call": (Upstream, "ask"),
    "write": (Directory, "keep_renewed"),
}
_GO = b"go\n"
KILLED = -signal.SIGKILL


class Task(msgspec.Struct, frozen=True):
    """What a process does; `die` is a step such as "before call", empty for none.

    A turn lives three times as long as a call may take.
    """

    directory: str
    provider: str
    account: str
    callers: int = 1
    die: str = ""
    takes_turns: bool = True
    timeout_seconds: int = 5


class Done(msgspec.Struct, frozen=True):
    """How a process ended, and what its callers were answered."""

    code: int
    outcomes: dict[str, int] = {}


@asynccontextmanager
async def opened(
    directory_url: str, provider_url: str, timeout_seconds: int
) -> AsyncIterator[tuple[Directory, Provider]]:
    """Open a directory and a provider on it, as a process of a gateway does."""
    directory = await Directory.open(directory_url, Vault([KEY]))
    settings = CloudreveSettings.model_validate(
        {"kind": "cloudreve", "name": PROVIDER, "base_url": provider_url}
        | {"timeout": f"{timeout_seconds}s", "max_concurrency": 100}
    )
    provider = make(settings, directory, utc_now)
    try:
        yield directory, provider
    finally:
        await provider.aclose()
        await directory.close()


async def outcome(provider: Provider, account_id: str) -> str:
    """Ask for the account's balance; return "answered", or how it failed."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    account = Account(id=account_id, customer_id="c", provider=PROVIDER, linked_at=epoch)
    try:
        await provider.balance(account)
    except UpstreamError as error:
        return error.code
    return "answered"


class Renewer:
    """A process that does one task after the other."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def begin(self, task: Task) -> None:
        """Return when all is open that the task needs."""
        self._write(msgspec.json.encode(task) + b"\n")
        assert await self._told() == ["open"]

    async def end(self) -> Done:
        """Have the task done, and return how it ended."""
        self._write(_GO)
        outcomes: dict[str, int] = {}
        while (told := await self._told())[0] != "ended":
            outcomes = msgspec.json.decode(told[1], type=dict[str, int])
        return Done(int(told[1]), outcomes)

    async def done(self, task: Task) -> Done:
        """Do a task, and return how it ended."""
        await self.begin(task)
        return await self.end()

    def _write(self, words: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(words)

    async def _told(self) -> list[str]:
        assert self._process.stdout
        line = await self._process.stdout.readline()
        assert line, "the process is gone"
        return line.decode().split(maxsplit=1)


@asynccontextmanager
async def renewer() -> AsyncIterator[Renewer]:
    """Start a process, and end it."""
    paths = ":".join(path for path in sys.path if path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        yield Renewer(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


def _kill_at(step: str) -> None:
    """Have this process killed at a step of the renewal."""
    when, _, what = step.partition(" ")
    owner, name = STEPS[what]
    operation: Callable[..., Awaitable[Any]] = getattr(owner, name)

    @wraps(operation)
    async def deadly(*args: Any, **named: Any) -> Any:  # noqa: ANN401
        is_it = what != "call" or not args[1].is_read
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await operation(*args, **named)
        if is_it and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, deadly)


async def _always(*_: object) -> bool:
    return True


async def _work(task: Task) -> None:
    if task.die:
        _kill_at(task.die)
    if not task.takes_turns:
        Directory.take_turn = _always  # type: ignore[assignment, method-assign]
    async with opened(task.directory, task.provider, task.timeout_seconds) as (_, provider):
        _tell("open")
        # Past the parent's buffer, which holds nothing but the task.
        os.read(sys.stdin.fileno(), len(_GO))
        asking = (outcome(provider, task.account) for _ in range(task.callers))
        outcomes = Counter(await asyncio.gather(*asking))
    _tell("outcomes", msgspec.json.encode(outcomes).decode())


def _tell(*words: object) -> None:
    """Write a line at once; nothing stays behind for a child to write again."""
    os.write(sys.stdout.fileno(), (" ".join(map(str, words)) + "\n").encode())


def main() -> None:
    # Logs go elsewhere than what is told.
    logs.configure()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_work(msgspec.json.decode(line, type=Task)))
                os._exit(0)
            finally:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        _tell("ended", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
