"""Processes that are killed while they work on mirrors, as the tests start them."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from histories import START, change
from list_provider import ACCOUNT, ListProvider

from app.model.accounts import Account
from app.model.entries import Stream
from app.providers.page import NO_PAGE, Page

ROWS = [change(second // 2, 1 + second % 3) for second in range(12, 0, -1)]


class Task(msgspec.Struct, frozen=True):
    """What such a process does, and at which step it is killed; 0 is never."""

    url: str
    account: str
    work: str
    paging: str
    now: str
    die_at: int = 0
    hangs_seconds: float = 0.0


class SharedProvider(ListProvider):
    """Lists the same rows for every account."""

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        assert account.provider == "listed"
        return await super().page(ACCOUNT, stream, place, before)


def provider_of(paging: str) -> SharedProvider:
    """Return the provider as every process sees it."""
    return SharedProvider(ROWS, paging, page_size=4)


def account(name: str) -> Account:
    return Account(id=name, customer_id="c", provider="listed", linked_at=START)


class Mortal:
    """One such process, which does one task after the other."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.child = 0

    async def begin(self, task: Task) -> None:
        """Return when the work has begun."""
        assert self._process.stdin
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        self.child = int(await self.told("child"))

    async def told(self, what: str) -> str:
        """Return what it tells next of that."""
        assert self._process.stdout
        while line := (await self._process.stdout.readline()).decode().split():
            if line[0] == what:
                return line[-1]
        raise AssertionError("the process is gone")

    async def done(self, task: Task) -> int:
        """Return how the work ended: 0, or by which signal."""
        await self.begin(task)
        return int(await self.told("ended"))


@asynccontextmanager
async def mortal() -> AsyncIterator[Mortal]:
    """Start a process whose children may be killed, and end it."""
    paths = ":".join(path for path in sys.path if path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("dying.py"))),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        yield Mortal(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()
