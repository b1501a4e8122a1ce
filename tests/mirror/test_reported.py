"""What providers report, as the readers of several processes see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from list_provider import ACCOUNT, ListProvider, Marks, TestClock
from msgspec.structs import replace

from app.mirror.documents import Demand, Freshness
from app.mirror.embedded import document_store
from app.mirror.reported import Reported, Statement, StatementCodec
from app.mirror.store import CHANNEL, Found
from app.model.accounts import Account, AccountStatus
from app.model.errors import UpstreamError, UpstreamUnauthorized, UpstreamUnavailable
from app.model.money import Money, UnitKind
from app.providers.page import Capability
from app.redis.changes import Changes
from app.redis.connection import Client, connect
from app.redis.guard import Guard

FIVE = (Money(Decimal("5.00"), "EUR"),)
SIX = (Money(Decimal(6), "EUR"), Money(Decimal("0.1"), "points", UnitKind.POINTS))
PATIENCE = timedelta(seconds=5)
URGENT = Demand(timedelta(0), PATIENCE, urgent=True)
NOW = Demand(timedelta(0), PATIENCE)


class Holder(ListProvider):
    """Reports `amounts` for every account."""

    capabilities: ClassVar = frozenset(Capability)

    def __init__(self) -> None:
        super().__init__([], "cursor")
        self.amounts: tuple[Money, ...] = FIVE

    async def balance(self, account: Account) -> tuple[Money, ...]:
        assert account.id == ACCOUNT.id
        self.calls += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        return self.amounts


@pytest.fixture
def provider() -> Holder:
    return Holder()


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def redis() -> AsyncIterator[Client]:
    client = connect("embedded://")
    yield client
    await client.aclose()


@asynccontextmanager
async def reported_by(
    provider: Holder, clock: TestClock, redis: Client, marks: Marks | None = None
) -> AsyncIterator[Reported]:
    """Open one process's view: fresh for 60 s, stale for an hour."""
    times = Freshness(timedelta(seconds=60), timedelta(hours=1), timedelta(days=1))
    guard, changes = Guard(redis), Changes(redis, CHANNEL)
    changes.start()
    store = document_store(guard, kept_for=timedelta(days=2))
    mark = (marks if marks is not None else Marks()).mark
    reported = Reported(store, changes, {"listed": provider}, {"listed": times}, mark, clock)
    try:
        yield reported
    finally:
        await reported.aclose()
        await changes.aclose()
        await guard.aclose()


async def until_read(reported: Reported, wanted: tuple[Money, ...]) -> None:
    """Return once what another process did was heard of, by which alone it comes."""
    async with asyncio.timeout(60):
        while await amounts(reported) != wanted:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


async def amounts(reported: Reported, demand: Demand | None = None) -> tuple[Money, ...]:
    return (await reported.read(ACCOUNT, demand)).document.amounts


async def test_many_readers_of_two_processes_are_one_call_while_it_is_fresh(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    provider.gate.clear()
    async with (
        reported_by(provider, clock, redis) as one,
        reported_by(provider, clock, redis) as other,
    ):
        asked = asyncio.gather(*(each.read(ACCOUNT) for each in (one, other) * 10))
        await asyncio.sleep(0.05)
        provider.gate.set()
        served = await asked
        clock.move(59)
        served += [await one.read(ACCOUNT), await other.read(ACCOUNT)]

    assert {each.document.amounts for each in served} == {FIVE}
    assert not any(each.is_stale for each in served)
    assert provider.calls == 1


async def test_a_stale_one_is_told_at_once_while_it_is_renewed(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    async with reported_by(provider, clock, redis) as reported:
        first = await reported.read(ACCOUNT)
        clock.move(61)
        provider.amounts = SIX
        provider.gate.clear()
        stale = [await reported.read(ACCOUNT) for _ in range(3)]
        provider.gate.set()
        renewed = await amounts(reported, NOW)
        fresh = await reported.read(ACCOUNT)

    assert [(each.document, each.is_stale) for each in stale] == [(first.document, True)] * 3
    assert renewed == fresh.document.amounts == SIX
    assert fresh.document.read_at == first.document.read_at + timedelta(seconds=61)
    assert provider.calls == 2


async def test_who_wants_nothing_old_asks_at_most_once_in_five_seconds_unless_it_is_urgent(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    async with reported_by(provider, clock, redis) as reported:
        await reported.read(ACCOUNT)
        calls = []
        for seconds, demand in ((4, NOW), (0.1, URGENT), (4, NOW), (2, NOW), (0.1, URGENT)):
            clock.move(seconds)
            await reported.read(ACCOUNT, demand)
            calls.append(provider.calls)

    assert calls == [1, 2, 2, 3, 4]


async def test_what_one_process_renewed_is_told_by_the_other(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    async with (
        reported_by(provider, clock, redis) as one,
        reported_by(provider, clock, redis) as other,
    ):
        await one.read(ACCOUNT)
        before = await amounts(other)
        provider.amounts = SIX
        clock.move(0.1)
        await one.read(ACCOUNT, URGENT)
        await until_read(other, SIX)

    assert before == FIVE
    assert provider.calls == 2


async def test_a_failure_is_shared_and_waited_out(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    provider.error = UpstreamUnavailable("It is down.")
    async with (
        reported_by(provider, clock, redis) as one,
        reported_by(provider, clock, redis) as other,
    ):
        for each in (one, other, one):
            with pytest.raises(UpstreamUnavailable):
                await each.read(ACCOUNT)
        too_soon = provider.calls
        provider.error = None
        clock.move(2)
        healed = [await amounts(each) for each in (other, one)]

    assert too_soon == 1
    assert healed == [FIVE, FIVE]
    assert provider.calls == 2


async def test_a_failing_provider_leaves_what_is_known_stale_until_it_is_too_old(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    async with reported_by(provider, clock, redis) as reported:
        await reported.read(ACCOUNT)
        provider.error = UpstreamUnavailable("It is down.")
        clock.move(3000)
        stale = await reported.read(ACCOUNT, NOW)
        clock.move(700)
        with pytest.raises(UpstreamUnavailable):
            await reported.read(ACCOUNT)

    assert (stale.document.amounts, stale.is_stale) == (FIVE, True)
    assert isinstance(stale.error, UpstreamUnavailable)


@pytest.mark.parametrize(
    ("error", "marked"),
    [
        (UpstreamUnauthorized("The key is refused."), [AccountStatus.NEEDS_RELINK]),
        (UpstreamUnauthorized("Our login is refused.", relink=False), []),
        (UpstreamUnavailable("It is down."), []),
    ],
)
async def test_refused_credentials_are_marked_and_accepted_ones_again(
    provider: Holder,
    clock: TestClock,
    redis: Client,
    error: UpstreamError,
    marked: list[AccountStatus],
) -> None:
    marks = Marks()
    async with reported_by(provider, clock, redis, marks) as reported:
        provider.error = error
        with pytest.raises(type(error)):
            await reported.read(ACCOUNT)
        refused = list(marks.values())
        provider.error = None
        clock.move(40)
        await reported.read(replace(ACCOUNT, status=AccountStatus.NEEDS_RELINK))

    assert refused == marked
    assert marks == {ACCOUNT.id: AccountStatus.ACTIVE}


async def test_what_is_purged_is_read_anew_in_all_processes(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    async with (
        reported_by(provider, clock, redis) as one,
        reported_by(provider, clock, redis) as other,
    ):
        await one.read(ACCOUNT)
        await other.read(ACCOUNT)
        provider.amounts = SIX
        assert await amounts(one) == await amounts(other) == FIVE
        await one.purge(ACCOUNT.id, ACCOUNT.revision)

        await until_read(other, SIX)


async def test_a_caller_who_goes_away_ends_nothing(
    provider: Holder, clock: TestClock, redis: Client
) -> None:
    provider.gate.clear()
    async with reported_by(provider, clock, redis) as reported:
        hasty = asyncio.create_task(reported.read(ACCOUNT))
        patient = asyncio.create_task(reported.read(ACCOUNT))
        await asyncio.sleep(0.02)
        hasty.cancel()
        await asyncio.sleep(0.02)
        provider.gate.set()

        assert (await patient).document.amounts == FIVE
    assert provider.calls == 1


MONEY = st.builds(
    Money,
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(UnitKind),
)


@given(amounts=st.lists(MONEY, max_size=4), translation=st.text(max_size=5))
def test_a_statement_is_read_as_it_was_written(amounts: list[Money], translation: str) -> None:
    codec = StatementCodec()
    written = Statement(tuple(amounts), datetime(2026, 6, 1, 12, tzinfo=UTC), "v1")

    encoded = codec.encoded(written, translation, None)
    found = Found(encoded.version, encoded.state, (), {}, None, "", is_ours=False)

    read = codec.decoded(found, translation, None)
    assert read == written
    assert str(read) == str(written)  # every digit, also those that equal numbers differ in
    assert codec.decoded(found, f"{translation}!", None) is None
    assert codec.decoded(found._replace(state=encoded.state[:-1]), translation, None) is None
    assert codec.decoded(found._replace(state=None), translation, None) is None
