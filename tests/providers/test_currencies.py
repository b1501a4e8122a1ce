"""Currencies are asked for beside what needs them, and only where they are not known."""

import asyncio
import time
from datetime import timedelta

import pytest
from adapters import Hands, account, adapter
from recordings import recording, replaying
from upstreams import Answer, Asked, Reply, upstream

from app.model.entries import Stream
from app.model.errors import UpstreamUnauthorized, UpstreamUnavailable

CHANGES = Stream.CREDIT_CHANGES
KINDS = {"hostup": "/account/currency", "carecloud": "/currencies"}
each_kind = pytest.mark.parametrize("kind", KINDS)


def slowly(answer: Answer, seconds: float = 0.05) -> Answer:
    async def answer_later(asked: Asked) -> Reply:
        await asyncio.sleep(seconds)
        said = answer(asked)
        return said if isinstance(said, Reply) else await said

    return answer_later


@each_kind
async def test_a_first_page_and_its_currencies_are_asked_for_at_once(kind: str) -> None:
    async with upstream(replaying(kind)) as server, adapter(kind, server.url) as provider:
        at_once = []
        for _ in range(2):
            server.answer, server.most_at_once = slowly(replaying(kind)), 0
            assert (await provider.page(account(), CHANGES, None)).entries
            at_once.append(server.most_at_once)

    # The second page's are known.
    assert at_once == [2, 1]


@each_kind
async def test_many_first_pages_ask_for_their_currencies_once(kind: str) -> None:
    answer = slowly(replaying(kind))
    async with upstream(answer) as server, adapter(kind, server.url) as provider:
        pages = await asyncio.gather(
            *(provider.page(account(), CHANGES, None) for _ in range(10)),
        )

    assert all(page.entries for page in pages)
    assert server.paths().count(KINDS[kind]) == 1


@each_kind
async def test_currencies_that_cannot_be_read_fail_a_page_with_entries(kind: str) -> None:
    def broken(asked: Asked) -> Reply:
        if asked.path == KINDS[kind]:
            return Reply(b"", 503, {"Retry-After": "9"})
        said = replaying(kind)(asked)
        assert isinstance(said, Reply)
        return said

    async with upstream(broken) as server, adapter(kind, server.url) as provider:
        with pytest.raises(UpstreamUnavailable):
            await provider.page(account(), CHANGES, None)

    assert server.paths().count(KINDS[kind]) == 1


async def test_currencies_that_cannot_be_read_fail_no_page_without_entries() -> None:
    empty = recording("hostup", "credit-log")
    empty["data"]["log"] = []
    answer = replaying("hostup", credit_log=empty, currency=Reply(b"", 503, {"Retry-After": "9"}))
    async with upstream(answer) as server, adapter("hostup", server.url) as provider:
        page = await provider.page(account(), CHANGES, None)

    assert page.entries == ()


async def test_a_page_that_fails_waits_for_no_currencies() -> None:
    async def refused(asked: Asked) -> Reply:
        if asked.path == KINDS["hostup"]:
            await asyncio.sleep(60)
        return Reply(b"{}", 401)

    async with (
        upstream(refused) as server,
        adapter("hostup", server.url, timeout="60s") as provider,
    ):
        began = time.perf_counter()
        with pytest.raises(UpstreamUnauthorized):
            await provider.page(account(), CHANGES, None)
        seconds = time.perf_counter() - began

    assert seconds < 30


async def test_the_page_that_finds_out_that_a_provider_works_again_has_its_currencies() -> None:
    clock = Hands()
    async with (
        upstream(lambda _: Reply(b"", 503)) as server,
        adapter("hostup", server.url, clock=clock) as provider,
    ):
        for _ in range(6):
            with pytest.raises(UpstreamUnavailable):
                await provider.page(account(), CHANGES, None)
        dead = len(server.asked)
        clock.advance(timedelta(seconds=2))
        server.answer = replaying("hostup")

        page = await provider.page(account(), CHANGES, None)

    assert page.entries
    # While it is dead and its circuit open, nothing is asked; then the page, and then the rest.
    assert [one.path for one in server.asked[dead:]] == ["/billing/credit-log", KINDS["hostup"]]
