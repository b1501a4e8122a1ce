"""What every registered kind of provider keeps to, asked against the emulated upstreams."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from adapters import account, settings_of
from emulations import Emulations, emulations
from kinds import KNOWN

from app.mirror.timeline import ordered
from app.model.entries import CreditChange, Entry, Payment, Stream
from app.model.money import Money
from app.providers.page import Page, Provider, supports
from app.providers.registry import REGISTRY

UTC = ZoneInfo("UTC")
STREAMS = [(kind, stream) for kind, known in KNOWN.items() for stream in known.contract.time_field]
each_kind = pytest.mark.parametrize("kind", list(KNOWN))
each_stream = pytest.mark.parametrize(("kind", "stream"), STREAMS)
each_stream_of_chosen_size = pytest.mark.parametrize(
    ("kind", "stream"), [one for one in STREAMS if "page_size" in KNOWN[one[0]].contract.settings]
)


@pytest.fixture(scope="module")
def world() -> Iterator[Emulations]:
    with emulations(entries=120) as one:
        yield one


async def crawl(provider: Provider, stream: Stream) -> list[Page]:
    pages = [await provider.page(account(), stream, None)]
    while (place := pages[-1].next) is not None:
        pages.append(await provider.page(account(), stream, place))
        assert len(pages) < 200
    return pages


def entries_of(pages: list[Page]) -> list[Entry]:
    return [entry for page in pages for entry in page.entries[page.overlap :]]


def test_every_registered_kind_is_known_here() -> None:
    assert {type(settings_of(kind, "https://it.example")) for kind in KNOWN} == set(REGISTRY)


@each_kind
async def test_capabilities_are_the_documented_ones(world: Emulations, kind: str) -> None:
    async with world.reached(kind) as provider:
        supported = {stream for stream in Stream if supports(provider, stream)}

        assert provider.capabilities == KNOWN[kind].contract.capabilities
        assert supported == set(KNOWN[kind].contract.time_field)
        assert provider.kind == kind.upper()


@each_stream
async def test_a_crawl_gives_every_entry_once_in_the_lists_own_order(
    world: Emulations, kind: str, stream: Stream
) -> None:
    async with world.reached(kind) as provider:
        pages = await crawl(provider, stream)

    entries, times = entries_of(pages), world.times(kind, stream)
    zone = KNOWN[kind].contract.zone
    walls = [entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for entry in entries]
    written = [at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for at in times]
    assert len(pages) > 3
    assert len(entries) == len(times) == 120
    assert walls == written
    assert {type(entry) for entry in entries} == {
        CreditChange if stream is Stream.CREDIT_CHANGES else Payment
    }


@each_stream
async def test_pages_overlap_by_what_they_say(world: Emulations, kind: str, stream: Stream) -> None:
    async with world.reached(kind) as provider:
        pages = await crawl(provider, stream)

    for before, after in pairwise(pages):
        assert after.entries[: after.overlap] == before.entries[-after.overlap :][: after.overlap]
        assert len(after.entries) > after.overlap


@each_stream
async def test_the_order_of_times_is_newest_first_once_repeated_hours_are_read(
    world: Emulations, kind: str, stream: Stream
) -> None:
    async with world.reached(kind) as provider:
        entries = entries_of(await crawl(provider, stream))

    settled = ordered(entries, "a", complete=True).entries
    truth = world.times(kind, stream)[::-1]
    assert [entry.at for entry in settled] == sorted(entry.at for entry in settled)
    if KNOWN[kind].contract.knows_order:
        assert [entry.at for entry in settled] == truth
    assert any(entry.at_second for entry in entries) is (KNOWN[kind].contract.zone is not UTC)


@each_stream
async def test_ids_are_unique_and_the_same_when_read_again(
    world: Emulations, kind: str, stream: Stream
) -> None:
    async with world.reached(kind) as provider:
        first = entries_of(await crawl(provider, stream))
    async with world.reached(kind) as provider:
        second = entries_of(await crawl(provider, stream))

    ids = [entry.id for entry in ordered(first, "a", complete=True).entries]
    assert len(set(ids)) == len(ids) == 120
    assert [entry.id for entry in ordered(second, "a", complete=True).entries] == ids


@each_stream_of_chosen_size
async def test_ids_do_not_depend_on_the_size_of_pages(
    world: Emulations, kind: str, stream: Stream
) -> None:
    async with world.reached(kind) as provider, world.reached(kind, page_size=100) as large:
        one = entries_of(await crawl(provider, stream))
        other = entries_of(await crawl(large, stream))

    assert one == other


@each_stream
async def test_times_are_aware_and_in_utc_and_amounts_exact(
    world: Emulations, kind: str, stream: Stream
) -> None:
    async with world.reached(kind) as provider:
        entries = entries_of(await crawl(provider, stream))

    for entry in entries:
        assert entry.at.utcoffset() == timedelta(0)
        assert entry.zone_assumed is (KNOWN[kind].contract.zone is not UTC)
        assert type(entry.amount.amount) is Decimal
        assert entry.amount.unit


@each_stream
async def test_a_place_is_a_text_that_another_adapter_takes_up(
    world: Emulations, kind: str, stream: Stream
) -> None:
    async with world.reached(kind) as provider:
        first = await provider.page(account(), stream, None)
        second = await provider.page(account(), stream, first.next)
    async with world.reached(kind) as another:
        taken_up = await another.page(account(), stream, str(first.next))

    assert isinstance(first.next, str)
    assert taken_up == second


@each_stream
async def test_a_new_entry_is_first_and_changes_no_id(kind: str, stream: Stream) -> None:
    with emulations(entries=30) as own:
        async with own.reached(kind) as provider:
            before = entries_of(await crawl(provider, stream))
            own.add(kind, stream)
            after = entries_of(await crawl(provider, stream))

    assert after[1:] == before
    assert len(after) == 31


@each_kind
async def test_the_balance_is_what_the_provider_holds(world: Emulations, kind: str) -> None:
    async with world.reached(kind) as provider:
        balance = await provider.balance(account())
        changes = entries_of(await crawl(provider, Stream.CREDIT_CHANGES))

    sums: dict[str, Decimal] = {}
    for entry in changes:
        sums[entry.amount.unit] = sums.get(entry.amount.unit, Decimal(0)) + entry.amount.amount
    assert all(isinstance(held, Money) for held in balance)
    assert {held.unit: held.amount for held in balance if held.amount} == {
        unit: amount for unit, amount in sums.items() if amount
    }


async def test_pages_of_one_row_come_to_an_end() -> None:
    with emulations(entries=12) as own:
        async with own.reached("carecloud", page_size=1) as provider:
            entries = entries_of(await crawl(provider, Stream.CREDIT_CHANGES))

    assert len(entries) == 12
