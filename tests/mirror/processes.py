"""Gateways on one Redis, each with a mirror of its own, and whole histories read by them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from list_provider import ACCOUNT, CHANGES, ListProvider, Marks, TestClock, mirror_of
from reading import seen

from app.history.window import Window
from app.mirror.documents import Demand
from app.mirror.keeper import Keeper
from app.mirror.mirror import Mirror
from app.mirror.snapshot import Snapshot
from app.mirror.store import name_of
from app.mirror.timeline import Key, ordered
from app.model.accounts import Account
from app.model.entries import Entry, Stream
from app.providers.page import NO_PAGE, Page
from app.redis.connection import connect

NAME = name_of(ACCOUNT.id, CHANGES, ACCOUNT.revision)
NOW = Demand(timedelta(0), timedelta(seconds=5), urgent=True)


class HeldProvider(ListProvider):
    """Answers with what it lists when it is asked, but not before it may."""

    def __init__(self, rows: Sequence[Entry], paging: str, page_size: int = 3) -> None:
        super().__init__(rows, paging, page_size)
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def page(
        self, account: Account, stream: Stream, place: str | None, before: Page = NO_PAGE
    ) -> Page:
        try:
            return await super().page(account, stream, place, before)
        finally:
            await self.may_answer.wait()

    def show(self, rows: Sequence[Entry]) -> None:
        """List other rows from now on, as after an account was linked anew."""
        self.rows.clear()
        for row in reversed(rows):
            self.add(row)


@asynccontextmanager
async def gateway(
    provider: ListProvider, clock: TestClock, url: str, marks: Marks | None = None
) -> AsyncIterator[Mirror]:
    """Open a mirror as a process of its own has it, which hears what others tell."""
    redis = connect(url)
    try:
        async with mirror_of(provider, clock, redis=redis, marks=marks) as mirror:
            await until(lambda: keeper_of(mirror)._changes.is_live)
            yield mirror
    finally:
        await redis.aclose()


def keeper_of(mirror: Mirror) -> Keeper[Snapshot]:
    return mirror._keepers[CHANGES]


def is_away(mirror: Mirror) -> bool:
    """Say whether Redis does not answer this process, or has yet to be given a lease back."""
    return keeper_of(mirror)._store.is_away or bool(keeper_of(mirror)._leases._leaving)


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return when it holds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, "it does not come to hold"
        await asyncio.sleep(0.01)


async def keys_read(mirror: Mirror, demand: Demand | None = None) -> list[Key]:
    """Return the places of a whole history, newest first, read at once."""
    await mirror.read(ACCOUNT, CHANGES, demand)
    return [row.key for row in (await seen(mirror, Window(1000))).rows]


async def keys_read_anew(
    provider: ListProvider, clock: TestClock, url: str, demand: Demand | None = None
) -> list[Key]:
    """Return them as a process reads them that knows nothing yet."""
    async with gateway(provider, clock, url) as mirror:
        return await keys_read(mirror, demand)


def keys_listed(provider: ListProvider) -> list[Key]:
    """Return the places of a whole history, newest first, as the provider lists it."""
    return list(ordered(provider.listed(), ACCOUNT.id, complete=True).keys)[::-1]


async def keys_paged(
    mirrors: list[Mirror], size: int, between: Callable[[], Awaitable[None]]
) -> list[Key]:
    """Return the places of concatenated pages, each read by the next process in turn.

    `between` goes on while a page is being read, and ends before the next one.
    """
    keys: list[Key] = []
    for turn in range(100):
        place = keys[-1] if keys else None
        meanwhile = asyncio.ensure_future(between())
        try:
            found = await seen(mirrors[turn % len(mirrors)], Window(size, after=place))
        finally:
            await meanwhile
        keys += [row.key for row in found.rows]
        if not found.has_next:
            return keys
    raise AssertionError("the history does not end")
