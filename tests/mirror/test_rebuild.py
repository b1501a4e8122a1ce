"""Histories are read anew beside the old mirror, which is served as deep as it was until then."""

import asyncio
from math import ceil

import pytest
from histories import change
from list_provider import ACCOUNT, CHANGES, PAGINGS, TestClock, mirror_of
from reading import seen, settled
from test_moving_lists import EVERY_WAY, MovingList, ids_of, paged

from app.history.window import Window
from app.mirror.mirror import Mirror
from app.model.errors import UpstreamUnavailable

HUNDRED = [change(second, 1 + second) for second in range(100, 0, -1)]
each_paging = pytest.mark.parametrize("paging", PAGINGS)
each_way = pytest.mark.parametrize("way", EVERY_WAY)


async def refresh(mirror: Mirror, clock: TestClock, seconds: float = 61) -> None:
    """Let the mirror grow stale and be renewed."""
    clock.move(seconds)
    await mirror.read(ACCOUNT, CHANGES)
    await settled(mirror)


@each_way
@pytest.mark.parametrize("edit", ["remove", "correct", "insert"])
@pytest.mark.parametrize("place", [1, 4, 8])
async def test_an_edit_near_the_newest_end_is_noticed_by_the_next_refresh(
    way: str, edit: str, place: int
) -> None:
    provider, clock = MovingList(HUNDRED, way, 10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 50)
        {
            "remove": lambda: provider.remove(place),
            "correct": lambda: provider.correct(place, 7),
            "insert": lambda: provider.insert(place, 7),
        }[edit]()
        await refresh(mirror, clock)
        reading = await mirror.read(ACCOUNT, CHANGES)

    assert [entry.id for entry in reading.snapshot.entries] == provider.ids()
    assert [entry.amount for entry in reading.snapshot.entries] == [
        row.amount for row in provider.listed()
    ]
    assert reading.snapshot.complete


@pytest.mark.parametrize("way", ["offset", "sliding offset"])
@pytest.mark.parametrize("edit", ["remove", "insert"])
async def test_what_the_provider_counts_tells_of_an_edit_anywhere(way: str, edit: str) -> None:
    provider, clock = MovingList(HUNDRED, way, 10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 50)
        provider.remove(70) if edit == "remove" else provider.insert(70, 7)
        await refresh(mirror, clock)
        reading = await mirror.read(ACCOUNT, CHANGES)
        before = provider.calls
        await refresh(mirror, clock)

    assert [entry.id for entry in reading.snapshot.entries] == provider.ids()
    assert provider.calls == before + 1


async def test_a_provider_that_always_counts_too_many_is_read_anew_once() -> None:
    provider, clock = MovingList(HUNDRED, "offset", 10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 50)
        provider.uncounted = 3
        await refresh(mirror, clock)
        before = provider.calls
        for _ in range(3):
            await refresh(mirror, clock)

    assert provider.calls == before + 3


@each_paging
async def test_the_old_mirror_is_served_whole_while_a_new_one_is_read(paging: str) -> None:
    provider, clock = MovingList(HUNDRED, paging, 10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 50)
        provider.remove(1)
        provider.hold_after(provider.calls + 6)
        clock.move(25 * 3600)
        await mirror.read(ACCOUNT, CHANGES)
        rebuilding = mirror.rebuild(ACCOUNT, CHANGES)
        await provider.held()
        served = [(await mirror.read(ACCOUNT, CHANGES)).snapshot for _ in range(3)]
        provider.gate.set()
        assert rebuilding
        await rebuilding
        await settled(mirror)
        found = await seen(mirror, Window(100))

    assert all(snapshot.complete for snapshot in served)
    assert len(found.rows) == 99


@each_paging
async def test_what_arrives_while_a_new_mirror_is_read_does_not_go_away_again(paging: str) -> None:
    provider, clock = MovingList(HUNDRED, paging, 10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 50)
        provider.hold_after(provider.calls + 6)
        rebuilding = mirror.rebuild(ACCOUNT, CHANGES)
        await provider.held()
        provider.add(change(200))
        provider.limit = None
        await refresh_beside(mirror, clock)
        during = (await mirror.read(ACCOUNT, CHANGES)).snapshot
        provider.gate.set()
        assert rebuilding
        await rebuilding
        after = (await mirror.read(ACCOUNT, CHANGES)).snapshot

    assert len(during.entries) == 101
    assert [entry.id for entry in after.entries] == provider.ids()


async def refresh_beside(mirror: Mirror, clock: TestClock) -> None:
    """Refresh while a rebuild is under way."""
    clock.move(61)
    stale = await mirror.read(ACCOUNT, CHANGES)
    assert stale.is_stale
    for _ in range(3000):
        await asyncio.sleep(0.01)
        if not (await mirror.read(ACCOUNT, CHANGES)).is_stale:
            return


async def test_a_rebuild_that_fails_leaves_the_old_mirror_as_it_was() -> None:
    provider, clock = MovingList(HUNDRED, "cursor", 10), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await paged(mirror, 50)
        before = (await mirror.read(ACCOUNT, CHANGES)).snapshot
        provider.fail_after(provider.calls + 5, UpstreamUnavailable("dead"))
        rebuilding = mirror.rebuild(ACCOUNT, CHANGES)
        assert rebuilding
        with pytest.raises(UpstreamUnavailable):
            await rebuilding
        after = await mirror.read(ACCOUNT, CHANGES)

    assert after.snapshot.entries == before.entries
    assert not after.is_stale


@pytest.mark.parametrize("way", ["offset", "sliding offset"])
async def test_a_long_offset_list_is_read_in_little_more_than_its_pages_while_entries_arrive(
    way: str,
) -> None:
    rows = [change(second, 1 + second % 5) for second in range(10_000, 0, -1)]
    provider, clock = MovingList(rows, way, 100), TestClock()
    provider.overlap = 8
    provider.plan = [
        (call, lambda it: it.insert(0, 3)) for call in range(2, 100, 2) for _ in range(call % 3)
    ]
    async with mirror_of(provider, clock) as mirror:
        snapshot = await mirror.deepen(ACCOUNT, CHANGES, None)

    assert snapshot.complete
    assert not provider.always - ids_of(snapshot.timeline.entries)
    assert provider.calls <= 1.2 * ceil(10_000 / 100)
