"""What every registered kind of provider keeps to, asked against the emulated upstreams."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from adapters import Store, account, adapter, settings_of

from app import sandbox
from app.mirror.timeline import ordered
from app.model.clock import utc_now
from app.model.entries import CreditChange, Entry, Payment, Stream
from app.model.money import Money
from app.providers.page import Capability, Page, Provider, supports
from app.providers.registry import REGISTRY
from app.sandbox import Sandbox, SandboxServer
from app.settings.providers import KINDS

REFERENCE = "C-1001"
UTC, STOCKHOLM, PRAGUE = ZoneInfo("UTC"), ZoneInfo("Europe/Stockholm"), ZoneInfo("Europe/Prague")


@dataclass(frozen=True)
class Contract:
    """How to reach one kind at the sandbox, and what its documents let it promise.

    `knows_order` says whether its list tells the two passes of the repeated hour apart.
    """

    capabilities: frozenset[Capability]
    time_field: dict[Stream, str]
    zone: ZoneInfo
    knows_order: bool = True
    settings: dict[str, Any] = field(default_factory=dict)


CONTRACTS = {
    "cloudreve": Contract(
        frozenset(Capability),
        {Stream.CREDIT_CHANGES: "changed_at", Stream.PAYMENTS: "created_at"},
        UTC,
        settings={"page_size": 10},
    ),
    "hostup": Contract(
        frozenset(Capability),
        {Stream.CREDIT_CHANGES: "date", Stream.PAYMENTS: "date"},
        STOCKHOLM,
    ),
    "carecloud": Contract(
        frozenset({Capability.CREDIT_CHANGES, Capability.BALANCE}),
        {Stream.CREDIT_CHANGES: "credit_history_record_time"},
        PRAGUE,
        knows_order=False,
        settings={
            "page_size": 7,
            "external_application_id": sandbox.CARECLOUD_APPLICATION_ID,
            "login": sandbox.CARECLOUD_LOGIN,
            "password": sandbox.CARECLOUD_PASSWORD,
        },
    ),
}
each_kind = pytest.mark.parametrize("kind", list(KINDS))
STREAMS = [(kind, stream) for kind, contract in CONTRACTS.items() for stream in contract.time_field]
each_stream = pytest.mark.parametrize(("kind", "stream"), STREAMS)
each_stream_of_chosen_size = pytest.mark.parametrize(
    ("kind", "stream"), [one for one in STREAMS if "page_size" in CONTRACTS[one[0]].settings]
)


@pytest.fixture(scope="module")
def world() -> Iterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=120)) as server:
        yield server


def reached(world: SandboxServer, kind: str, **changed: Any) -> Any:  # noqa: ANN401 - a context
    accounts = world.sandbox.sample_customers()[0]["accounts"]
    given = next(one["credentials"][kind] for one in accounts if kind in one["credentials"])
    url = world.url + world.sandbox.upstreams[kind].base_path
    settings = {**CONTRACTS[kind].settings, **changed}
    return adapter(kind, url, store=Store(given), clock=utc_now, **settings)


async def crawl(provider: Provider, stream: Stream) -> list[Page]:
    pages = [await provider.page(account(), stream, None)]
    while (place := pages[-1].next) is not None:
        pages.append(await provider.page(account(), stream, place))
        assert len(pages) < 200
    return pages


def entries_of(pages: list[Page]) -> list[Entry]:
    return [entry for page in pages for entry in page.entries[page.overlap :]]


def rows_of(world: SandboxServer, kind: str, stream: Stream) -> list[Any]:
    owner = world.sandbox.upstreams[kind].account(REFERENCE, 0)
    return owner.newest_first(stream.value)


def test_every_registered_kind_has_a_contract_here() -> None:
    assert {type(settings_of(kind, "https://it.example")) for kind in CONTRACTS} == set(REGISTRY)
    assert set(CONTRACTS) == set(KINDS)


@each_kind
async def test_capabilities_are_the_documented_ones(world: SandboxServer, kind: str) -> None:
    async with reached(world, kind) as provider:
        supported = {stream for stream in Stream if supports(provider, stream)}

        assert provider.capabilities == CONTRACTS[kind].capabilities
        assert supported == set(CONTRACTS[kind].time_field)
        assert provider.kind == kind.upper()


@each_stream
async def test_a_crawl_gives_every_entry_once_in_the_lists_own_order(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider:
        pages = await crawl(provider, stream)

    entries, rows = entries_of(pages), rows_of(world, kind, stream)
    zone, name = CONTRACTS[kind].zone, CONTRACTS[kind].time_field[stream]
    walls = [entry.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for entry in entries]
    written = [row.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S") for row in rows]
    assert len(pages) > 3
    assert len(entries) == len(rows) == 120
    assert walls == written
    assert all(name in row.fields for row in rows)
    assert {type(entry) for entry in entries} == {
        CreditChange if stream is Stream.CREDIT_CHANGES else Payment
    }


@each_stream
async def test_pages_overlap_by_what_they_say(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider:
        pages = await crawl(provider, stream)

    for before, after in pairwise(pages):
        assert after.entries[: after.overlap] == before.entries[-after.overlap :][: after.overlap]
        assert len(after.entries) > after.overlap


@each_stream
async def test_the_order_of_times_is_newest_first_once_repeated_hours_are_read(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider:
        entries = entries_of(await crawl(provider, stream))

    settled = ordered(entries, "a", complete=True).entries
    truth = [row.at for row in reversed(rows_of(world, kind, stream))]
    assert [entry.at for entry in settled] == sorted(entry.at for entry in settled)
    if CONTRACTS[kind].knows_order:
        assert [entry.at for entry in settled] == truth
    assert any(entry.at_second for entry in entries) is (CONTRACTS[kind].zone is not UTC)


@each_stream
async def test_ids_are_unique_and_the_same_when_read_again(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider:
        first = entries_of(await crawl(provider, stream))
    async with reached(world, kind) as provider:
        second = entries_of(await crawl(provider, stream))

    ids = [entry.id for entry in ordered(first, "a", complete=True).entries]
    assert len(set(ids)) == len(ids) == 120
    assert [entry.id for entry in ordered(second, "a", complete=True).entries] == ids


@each_stream_of_chosen_size
async def test_ids_do_not_depend_on_the_size_of_pages(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider, reached(world, kind, page_size=100) as large:
        one = entries_of(await crawl(provider, stream))
        other = entries_of(await crawl(large, stream))

    assert one == other


@each_stream
async def test_times_are_aware_and_in_utc_and_amounts_exact(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider:
        entries = entries_of(await crawl(provider, stream))

    for entry in entries:
        assert entry.at.utcoffset() == timedelta(0)
        assert entry.zone_assumed is (CONTRACTS[kind].zone is not UTC)
        assert type(entry.amount.amount) is Decimal
        assert entry.amount.unit


@each_stream
async def test_a_place_is_a_text_that_another_adapter_takes_up(
    world: SandboxServer, kind: str, stream: Stream
) -> None:
    async with reached(world, kind) as provider:
        first = await provider.page(account(), stream, None)
        second = await provider.page(account(), stream, first.next)
    async with reached(world, kind) as another:
        taken_up = await another.page(account(), stream, str(first.next))

    assert isinstance(first.next, str)
    assert taken_up == second


@each_stream
async def test_a_new_entry_is_first_and_changes_no_id(kind: str, stream: Stream) -> None:
    with SandboxServer(Sandbox(entries=30)) as own:
        async with reached(own, kind) as provider:
            before = entries_of(await crawl(provider, stream))
            own.sandbox.add_entry(kind, stream.value, REFERENCE)
            after = entries_of(await crawl(provider, stream))

    assert after[1:] == before
    assert len(after) == 31


@each_kind
async def test_the_balance_is_what_the_provider_holds(world: SandboxServer, kind: str) -> None:
    async with reached(world, kind) as provider:
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
    with SandboxServer(Sandbox(entries=12)) as own:
        async with reached(own, "carecloud", page_size=1) as provider:
            entries = entries_of(await crawl(provider, Stream.CREDIT_CHANGES))

    assert len(entries) == 12
