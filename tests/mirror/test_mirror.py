"""The mirror as its readers see it."""

import asyncio
from datetime import datetime, timedelta

import pytest
from histories import change, newest_first
from hypothesis import given
from hypothesis import strategies as st
from list_provider import ACCOUNT, CHANGES, PAGINGS, ListProvider, Marks, TestClock, mirror_of
from msgspec.structs import replace
from reading import seen, settled

from app.history.window import Slice, Window
from app.mirror.documents import Demand
from app.mirror.timeline import Key, ordered
from app.model.accounts import AccountStatus
from app.model.entries import CreditChange
from app.model.errors import (
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.providers.page import Page

NOW = Demand(timedelta(0), timedelta(seconds=5))
TEN = [change(second) for second in range(10, 0, -1)]
each_paging = pytest.mark.parametrize("paging", PAGINGS)


@each_paging
@given(
    rows=newest_first(most=20),
    page_size=st.integers(2, 6),
    size=st.integers(1, 7),
    arrivals=st.lists(st.integers(0, 4), max_size=12),
    pauses=st.lists(st.sampled_from([0, 70]), min_size=12, max_size=12),
)
async def test_entries_that_arrive_between_pages_repeat_nothing_and_hide_nothing(
    paging: str,
    rows: list[CreditChange],
    page_size: int,
    size: int,
    arrivals: list[int],
    pauses: list[int],
) -> None:
    provider, clock = ListProvider(rows, paging, page_size), TestClock()
    expected = ordered(provider.listed(), ACCOUNT.id, complete=True).keys
    newest = max((row.at for row in rows), default=TEN[0].at)
    coming = [change(0, 1 + index % 2) for index in range(sum(arrivals))]
    keys: list[Key] = []
    place: Key | None = None
    async with mirror_of(provider, clock) as mirror:
        for turn in range(100):
            found = await seen(mirror, Window(size, after=place))
            keys += [row.key for row in found.rows]
            if not found.has_next:
                break
            place = found.rows[-1].key
            for _ in range(arrivals[turn] if turn < len(arrivals) else 0):
                row = coming.pop()
                provider.add(replace(row, at=newest))
            clock.move(pauses[turn % len(pauses)])

    assert keys == expected[::-1]


def reasons(found: Slice) -> list[str]:
    return [row.entry.reason for row in found.rows if isinstance(row.entry, CreditChange)]


def times(provider: ListProvider) -> list[datetime]:
    return [row.at for row in provider.listed()]


@each_paging
async def test_a_fresh_history_is_read_without_the_provider(paging: str) -> None:
    provider, clock = ListProvider(TEN, paging), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        before = provider.calls
        clock.move(59)

        found = await seen(mirror, Window(10))

    assert len(found.rows) == 10
    assert provider.calls == before


@each_paging
async def test_a_stale_history_is_served_at_once_while_one_call_refreshes_it(paging: str) -> None:
    provider, clock = ListProvider(TEN, paging), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        before = provider.calls
        provider.add(change(11))
        clock.move(61)

        stale = await mirror.read(ACCOUNT, CHANGES)
        again = await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)
        fresh = await mirror.read(ACCOUNT, CHANGES)

    assert stale.is_stale
    assert again.is_stale
    assert len(stale.snapshot.entries) == 10
    assert not fresh.is_stale
    assert len(fresh.snapshot.entries) == 11
    assert provider.calls == before + 1


@each_paging
async def test_many_first_readers_cause_one_call(paging: str) -> None:
    provider = ListProvider(TEN, paging)
    async with mirror_of(provider, TestClock()) as mirror:
        await asyncio.gather(*(mirror.read(ACCOUNT, CHANGES) for _ in range(50)))

    assert provider.calls == 1


async def test_a_reader_who_goes_away_takes_nobody_along() -> None:
    provider = ListProvider(TEN, "cursor")
    provider.gate.clear()
    async with mirror_of(provider, TestClock()) as mirror:
        leaving = asyncio.create_task(mirror.read(ACCOUNT, CHANGES))
        staying = asyncio.create_task(mirror.read(ACCOUNT, CHANGES))
        await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        provider.gate.set()

        reading = await staying

    assert leaving.cancelled()
    assert len(reading.snapshot.entries) == 3
    assert provider.calls == 1


@each_paging
async def test_a_dead_provider_costs_freshness_and_not_answers(paging: str) -> None:
    provider, clock = ListProvider(TEN, paging), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        provider.error = UpstreamUnavailable("dead")
        clock.move(61)
        await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)

        reading = await mirror.read(ACCOUNT, CHANGES)

    assert reading.is_stale
    assert len(reading.snapshot.entries) == 10
    assert isinstance(reading.error, UpstreamUnavailable)


async def test_what_is_too_old_is_not_served() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        provider.error = UpstreamUnavailable("dead")
        clock.move(3660)

        with pytest.raises(UpstreamUnavailable):
            await mirror.read(ACCOUNT, CHANGES)


async def test_a_failed_history_is_not_asked_for_again_before_its_time() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    retry_at = clock() + timedelta(seconds=30)
    provider.error = UpstreamRateLimited("slower", retry_at=retry_at)
    async with mirror_of(provider, clock) as mirror:
        for second in (0, 10, 19):
            clock.move(second)
            with pytest.raises(UpstreamRateLimited):
                await mirror.read(ACCOUNT, CHANGES)
        calls_before = provider.calls
        provider.error = None
        clock.move(2)

        reading = await mirror.read(ACCOUNT, CHANGES)

    assert calls_before == 1
    assert len(reading.snapshot.entries) == 3


async def test_the_wait_after_failures_grows_to_thirty_seconds() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    provider.error = UpstreamUnavailable("dead")
    waits = []
    async with mirror_of(provider, clock) as mirror:
        for _ in range(7):
            with pytest.raises(UpstreamUnavailable) as raised:
                await mirror.read(ACCOUNT, CHANGES)
            provider.error = UpstreamUnavailable("dead")
            assert raised.value.retry_at
            waits.append((raised.value.retry_at - clock()).total_seconds())
            clock.now = raised.value.retry_at

    assert waits == [1, 2, 4, 8, 16, 30, 30]


@each_paging
async def test_a_corrected_entry_is_noticed_and_the_history_read_anew(paging: str) -> None:
    provider, clock = ListProvider(TEN, paging), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        serial, _ = provider.rows[1]
        provider.rows[1] = (serial, change(9, 7, own_id="corrected"))
        clock.move(61)
        await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)

        found = await seen(mirror, Window(20))

    assert [int(row.entry.amount.amount) for row in found.rows] == [1, 7, *[1] * 8]


@each_paging
async def test_an_entry_deleted_near_the_newest_end_is_gone_after_a_refresh(paging: str) -> None:
    provider, clock = ListProvider(TEN, paging), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        del provider.rows[1]
        clock.move(61)
        await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)

        found = await seen(mirror, Window(20))

    assert len(found.rows) == 9


async def test_a_list_that_was_emptied_is_empty() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        provider.rows.clear()
        clock.move(61)
        await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)

        found = await seen(mirror, Window(20))

    assert found == Slice([], has_previous=False, has_next=False)


async def test_a_provider_that_ignores_the_page_number_is_refused() -> None:
    class Repeating(ListProvider):
        def _numbered(self, place: str | None) -> Page:
            return super()._numbered(None)._replace(next=str(int(place or 0) + 1))

    provider = Repeating(TEN, "page")
    async with mirror_of(provider, TestClock()) as mirror:
        with pytest.raises(UpstreamInvalidResponse):
            await seen(mirror, Window(10))

    assert provider.calls < 10


async def test_a_provider_that_ignores_the_cursor_is_refused() -> None:
    class Repeating(ListProvider):
        def _after(self, place: str | None) -> Page:
            del place
            return super()._after(None)

    provider = Repeating(TEN, "cursor")
    async with mirror_of(provider, TestClock()) as mirror:
        with pytest.raises(UpstreamInvalidResponse):
            await seen(mirror, Window(10))

    assert provider.calls < 10


@each_paging
async def test_many_equal_rows_in_one_second_are_all_shown(paging: str) -> None:
    provider = ListProvider([change(1)] * 20, paging)
    async with mirror_of(provider, TestClock()) as mirror:
        found = await seen(mirror, Window(50))

    assert len({row.key for row in found.rows}) == 20


async def test_refused_credentials_mark_the_account_and_accepted_ones_clear_it() -> None:
    provider, clock, marks = ListProvider(TEN, "cursor"), TestClock(), Marks()
    provider.error = UpstreamUnauthorized("refused")
    async with mirror_of(provider, clock, marks=marks) as mirror:
        with pytest.raises(UpstreamUnauthorized):
            await mirror.read(ACCOUNT, CHANGES)

    assert marks == {ACCOUNT.id: AccountStatus.NEEDS_RELINK}


async def test_a_whole_history_is_read_anew_after_a_day() -> None:
    provider, clock = ListProvider(TEN, "page"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        serial, row = provider.rows[8]
        provider.rows[8] = (serial, replace(row, reason="corrected"))
        clock.move(25 * 3600)
        before = await seen(mirror, Window(10))
        await settled(mirror)

        after = await seen(mirror, Window(10))

    assert reasons(before)[8] != "corrected"
    assert reasons(after)[8] == "corrected"


async def test_a_caller_who_wants_nothing_old_waits_until_it_is_read_anew() -> None:
    provider, clock = ListProvider(TEN, "page"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        serial, row = provider.rows[8]
        provider.rows[8] = (serial, replace(row, reason="corrected"))
        clock.move(25 * 3600)

        reading = await mirror.read(ACCOUNT, CHANGES, NOW)

    assert [entry.id for entry in reading.snapshot.entries] == [row.id for row in provider.listed()]
    assert reading.snapshot.entries == tuple(provider.listed())


async def test_a_list_that_moved_without_another_count_is_noticed_by_the_overlap() -> None:
    provider, clock = ListProvider(TEN, "offset"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(2))
        del provider.rows[1]
        oldest_serial, _ = provider.rows[-1]
        provider.rows.append((oldest_serial, change(0, 5)))

        found = await seen(mirror, Window(20))
        clock.move(61)
        await mirror.read(ACCOUNT, CHANGES)
        await settled(mirror)
        later = await seen(mirror, Window(20))

    # What was read before it went away is there until the next refresh; nothing else is missing.
    assert [row.entry.at for row in found.rows if row.entry.at != TEN[1].at] == times(provider)
    assert [row.entry.at for row in later.rows] == times(provider)


@each_paging
async def test_a_caller_who_wants_nothing_old_is_answered_from_the_provider(paging: str) -> None:
    provider, clock = ListProvider(TEN, paging), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        before = provider.calls
        provider.add(change(11))
        clock.move(6)

        reading = await mirror.read(ACCOUNT, CHANGES, NOW)

    assert not reading.is_stale
    assert len(reading.snapshot.entries) == 11
    assert provider.calls == before + 1


async def test_however_fresh_it_is_wanted_a_provider_is_asked_once_in_five_seconds() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        for _ in range(4):
            await mirror.read(ACCOUNT, CHANGES, NOW)
            clock.move(2)

    assert provider.calls == 2


async def test_a_caller_who_wants_nothing_old_is_served_stale_where_the_provider_is_dead() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        provider.error = UpstreamUnavailable("dead")
        clock.move(6)

        reading = await mirror.read(ACCOUNT, CHANGES, NOW)

    assert reading.is_stale
    assert isinstance(reading.error, UpstreamUnavailable)
    assert len(reading.snapshot.entries) == 10


async def test_a_caller_who_wants_nothing_old_waits_no_longer_than_it_can() -> None:
    provider, clock = ListProvider(TEN, "cursor"), TestClock()
    async with mirror_of(provider, clock) as mirror:
        await seen(mirror, Window(10))
        provider.gate.clear()
        clock.move(6)

        reading = await mirror.read(ACCOUNT, CHANGES, Demand(timedelta(0), timedelta(0)))
        provider.gate.set()

    assert reading.is_stale


async def test_the_newest_page_is_known_by_the_entries_that_are_kept() -> None:
    provider, clock = ListProvider(TEN, "cursor", page_size=4), TestClock()
    async with mirror_of(provider, clock) as mirror:
        for coming in ([], [], [change(11)]):
            for row in coming:
                provider.add(row)
            clock.move(70)
            snapshot = (await mirror.read(ACCOUNT, CHANGES, NOW)).snapshot
            shown = snapshot.page.entries

            assert [row.id for row in shown] == [row.id for row in provider.listed()[:4]]
            assert all(one is kept for one, kept in zip(shown, snapshot.entries, strict=False))
