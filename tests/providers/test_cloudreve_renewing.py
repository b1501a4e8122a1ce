"""Cloudreve's renewals over several processes, with answers lost and credentials linked anew."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from time import monotonic

import pytest
from adapters import Hands, Store, account, adapter
from single_use import FIRST, REFRESH, Site
from upstreams import Upstream, upstream

from app.model.entries import Stream
from app.model.errors import UpstreamTimeout, UpstreamUnauthorized, UpstreamUnavailable
from app.model.renewable import Renewable, Renewed
from app.providers.page import Page, Provider

MARKED = "marked NEEDS_RELINK"
OTHER = {"refreshToken": "refresh-other"}


async def read(provider: Provider) -> Page:
    return await provider.page(account(), Stream.CREDIT_CHANGES, None)


@asynccontextmanager
async def processes(
    site: Site, store: Store, count: int = 2, clock: Hands | None = None
) -> AsyncIterator[tuple[Upstream, list[Provider]]]:
    """Make providers that share a store, as those of several processes do."""
    clock = clock or Hands()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(upstream(site))
        made = [adapter("cloudreve", server.url, store=store, clock=clock) for _ in range(count)]
        yield server, [await stack.enter_async_context(one) for one in made]


async def test_four_processes_share_one_renewal() -> None:
    site, store = Site(), Store(FIRST)
    site.pause_seconds = 0.2
    async with processes(site, store, 4) as (_, providers):
        pages = await asyncio.gather(*(read(one) for one in providers * 25))

    assert len(pages) == 100
    assert site.tried == ["refresh-0"]
    assert store.events == ["stored refresh-1"]


async def test_without_a_turn_a_single_use_token_is_lost() -> None:
    class Hasty(Store):
        async def take_turn(self, *_: object) -> bool:
            return True

    site, store = Site(), Hasty(FIRST)
    site.pause_seconds = 0.2
    async with processes(site, store, 4) as (_, providers):
        await asyncio.gather(*(read(one) for one in providers), return_exceptions=True)

    assert site.tried.count("refresh-0") == 4


async def test_what_one_process_renewed_another_one_uses() -> None:
    site, store = Site(), Store(FIRST)
    async with processes(site, store) as (_, (one, other)):
        await read(one)
        await read(other)
        site.access = "access-9"  # the site forgets the token
        found = await asyncio.gather(read(one), read(other))

    assert found[0] == found[1]
    assert site.tried == ["refresh-0", "refresh-1"]


@pytest.mark.parametrize("is_spent", [False, True])
async def test_a_renewal_without_an_answer_is_asked_for_once_more(*, is_spent: bool) -> None:
    site, store = Site(), Store(FIRST)
    site.losing, site.is_spent_by_lost = 1, is_spent
    async with processes(site, store) as (_, (one, _other)):
        if is_spent:
            with pytest.raises(UpstreamUnauthorized, match="link the account again"):
                await read(one)
        else:
            assert (await read(one)).entries

    assert site.tried == ["refresh-0", "refresh-0"]
    assert store.events == [MARKED if is_spent else "stored refresh-1"]


async def test_renewals_that_stay_without_an_answer_mark_nothing() -> None:
    site, store, clock = Site(), Store(FIRST), Hands()
    site.losing, site.is_spent_by_lost = 2, False
    async with processes(site, store, clock=clock) as (_, (one, _other)):
        with pytest.raises(UpstreamUnavailable):
            await read(one)
        clock.advance(timedelta(seconds=2))
        page = await read(one)

    assert page.entries
    assert site.tried == ["refresh-0"] * 3
    assert store.events == ["stored refresh-1"]


async def test_a_new_pair_that_never_worked_gives_way_to_the_one_before() -> None:
    site, store, clock = Site(), Store(FIRST), Hands()
    async with processes(site, store, clock=clock) as (_, (one, other)):
        await read(one)
        site.takes = {"refresh-0"}  # the site went back to what it was before
        site.access = "access-0"
        page = await read(other)

    assert page.entries
    assert site.tried == ["refresh-0", "refresh-1", "refresh-0"]
    assert store.of(account().id).previous == FIRST


async def test_the_pair_before_is_not_tried_once_the_new_one_has_worked() -> None:
    site, store = Site(), Store(FIRST)
    async with processes(site, store) as (_, (one, _other)):
        await read(one)
        site.takes, site.access = {"refresh-0"}, "access-0"
        with pytest.raises(UpstreamUnauthorized):
            await read(one)

    assert site.tried == ["refresh-0", "refresh-1"]


async def test_a_refusal_costs_one_call_for_all_requests_until_it_is_long_ago() -> None:
    site, store, clock = Site(), Store(FIRST), Hands()
    site.takes = set()
    async with processes(site, store, clock=clock) as (server, providers):
        for one in providers * 10:
            with pytest.raises(UpstreamUnauthorized, match="link the account again") as raised:
                await read(one)
        before = len(server.asked)
        clock.advance(timedelta(minutes=5))
        with pytest.raises(UpstreamUnauthorized):
            await read(providers[0])

    assert raised.value.relink
    assert (before, server.paths()) == (1, [REFRESH] * 2)
    assert store.events == [MARKED] * 2


async def test_other_credentials_are_used_at_once_after_a_refusal() -> None:
    site, store = Site(), Store(FIRST)
    site.takes = {"refresh-other"}
    async with processes(site, store) as (_, (one, _other)):
        with pytest.raises(UpstreamUnauthorized):
            await read(one)
        store.link(OTHER)
        page = await read(one)

    assert page.entries
    assert site.tried == ["refresh-0", "refresh-other"]


@pytest.mark.parametrize("is_refused", [False, True])
async def test_credentials_linked_while_others_are_renewed_stay_and_are_used(
    *, is_refused: bool
) -> None:
    site, store = Site(), Store(FIRST)
    site.takes = {"refresh-other"} if is_refused else {"refresh-0", "refresh-other"}

    def link() -> None:
        site.meanwhile = lambda: None
        store.link(OTHER)

    site.meanwhile = link
    async with processes(site, store) as (_, (one, _other)):
        page = await read(one)

    assert page.entries
    assert site.tried == ["refresh-0", "refresh-other"]
    number = 1 if is_refused else 2
    assert store.events == [f"stored refresh-{number}"]
    assert store.of(account().id).previous == OTHER


async def test_a_former_token_is_never_used_for_other_credentials() -> None:
    site, store = Site(), Store(FIRST)
    site.takes.add("refresh-other")
    async with processes(site, store) as (server, (one, other)):
        await read(one)
        await read(other)
        store.link(OTHER)
        await asyncio.gather(read(one), read(other))

    used = [asked.headers.get("authorization") for asked in server.asked if asked.path != REFRESH]
    assert used == ["Bearer access-1"] * 2 + ["Bearer access-2"] * 2


async def test_a_failed_renewal_is_left_alone_by_all_processes_for_a_second() -> None:
    site, store, clock = Site(), Store(FIRST), Hands()
    site.is_down = True
    async with processes(site, store, clock=clock) as (_, providers):
        for one in providers * 5:
            with pytest.raises(UpstreamUnavailable):
                await read(one)
        tried = len(site.tried)
        site.is_down = False
        clock.advance(timedelta(seconds=1))
        page = await read(providers[1])

    assert tried == 1
    assert page.entries


class Away(Store):
    """Cannot keep anything for so many times."""

    left = 0

    async def keep_renewed(self, account_id: str, before: Renewable, renewed: Renewed) -> bool:
        if self.left:
            self.left -= 1
            raise UpstreamUnavailable("The stored credentials cannot be reached now.")
        return await super().keep_renewed(account_id, before, renewed)


@pytest.mark.parametrize("times", [2, 5])
async def test_a_pair_that_could_not_be_kept_is_kept_when_it_can_be(times: int) -> None:
    site, store, clock = Site(), Away(FIRST), Hands()
    store.left = times
    async with processes(site, store, clock=clock) as (_, (one, _other)):
        if times > 3:
            with pytest.raises(UpstreamUnavailable):
                await read(one)
            assert site.given == 1
            clock.advance(timedelta(seconds=1))
        page = await read(one)

    assert page.entries
    assert site.tried == ["refresh-0"]
    assert store.events == ["stored refresh-1"]


async def test_a_pair_that_could_not_be_kept_is_forgotten_when_others_are_linked() -> None:
    site, store, clock = Site(), Away(FIRST), Hands()
    site.takes.add("refresh-other")
    store.left = 3
    async with processes(site, store, clock=clock) as (_, (one, _other)):
        with pytest.raises(UpstreamUnavailable):
            await read(one)
        store.link(OTHER)
        page = await read(one)

    assert page.entries
    assert site.tried == ["refresh-0", "refresh-other"]


async def test_a_turn_that_never_ends_is_not_waited_for_for_ever() -> None:
    site, store, clock = Site(), Store(FIRST), Hands()
    async with upstream(site) as server:
        again = adapter("cloudreve", server.url, store=store, clock=clock, timeout="200ms")
        async with again as one:
            now = clock()
            assert await store.take_turn(account().id, "another", now, now + timedelta(hours=1))
            began = monotonic()
            with pytest.raises(UpstreamTimeout):
                await read(one)
            waited = monotonic() - began
            clock.advance(timedelta(hours=1))
            page = await read(one)

    assert 0.7 < waited < 30
    assert page.entries


async def test_what_was_asked_for_is_kept_when_the_process_ends() -> None:
    site, store, asked = Site(), Store(FIRST), asyncio.Event()
    site.pause_seconds, site.meanwhile = 0.3, asked.set
    async with upstream(site) as server:
        async with adapter("cloudreve", server.url, store=store) as one:
            reading = asyncio.ensure_future(read(one))
            await asked.wait()
            reading.cancel()
        async with adapter("cloudreve", server.url, store=store) as one:
            page = await read(one)

    assert page.entries
    assert site.tried == ["refresh-0"]
