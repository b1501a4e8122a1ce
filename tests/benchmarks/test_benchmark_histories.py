"""
What long histories cost: time beside a short one's, bytes in Redis, bytes in this process.

Times are of whole requests, from the bytes that a server hands over to the bytes it gets back,
taken by turns in one run. No request is asked twice, so that no kept answer is measured.
"""

import gc
import tracemalloc
from collections.abc import Iterator
from statistics import median
from typing import Any, NamedTuple

import pytest
from figures import note
from in_process import Timed
from lists import page_query
from long_histories import ENTRIES, OWNER, LongHistories, Stored, long_histories
from redis_server import needs_redis
from sums import QUERY as SUMMARY

from app.mirror.codecs import SnapshotCodec
from app.mirror.snapshot import Snapshot
from app.model.entries import Stream

pytestmark = needs_redis

ROWS = 50
PAGE = 200
TURNS = 30
# The count of all rows is a question of its own.
LIST = page_query("creditChanges", "Customer").replace("totalCount", "")
CURSORS = """query($owner: ID!, $after: String) { owner: node(id: $owner) { ... on Customer {
  list: creditChanges(first: 100, after: $after) { edges { cursor node { occurredAt } } } } } }"""


class Times(NamedTuple):
    """Median seconds of a page at the newest end, of one far from it, and of a summary."""

    near_page: float
    far_page: float
    summary: float


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongHistories]:
    with long_histories(tmp_path_factory.mktemp("histories")) as one:
        yield one


@pytest.fixture(scope="module")
def times(histories: LongHistories) -> Times:
    return histories.run.run(taken(histories))


async def taken(histories: LongHistories) -> Times:
    rows = await newest(histories, ENTRIES + TURNS)
    measured: list[tuple[float, float, float]] = []
    for turn in range(TURNS):
        near = await page(histories, rows[turn]["cursor"])
        far = await page(histories, rows[ROWS * (PAGE - 1) + turn]["cursor"])
        summary = await summed(histories, rows[ENTRIES - 1 + turn]["node"]["occurredAt"])
        measured.append((near.seconds, far.seconds, summary.seconds))
    return Times(*(median(column) for column in zip(*measured, strict=True)))


async def newest(histories: LongHistories, count: int) -> list[dict[str, Any]]:
    """Return the newest rows of the merged list, with their cursors."""
    rows: list[dict[str, Any]] = []
    while len(rows) < count:
        after = rows[-1]["cursor"] if rows else None
        found = await histories.gateway.ask(CURSORS, owner=histories.owner, after=after)
        rows += found.data["owner"]["list"]["edges"]
    return rows


async def page(histories: LongHistories, after: str) -> Timed:
    found = await histories.gateway.ask(LIST, owner=histories.owner, first=ROWS, after=after)
    assert len(found.data["owner"]["list"]["edges"]) == ROWS
    return found


async def summed(histories: LongHistories, begin: str) -> Timed:
    """Ask for all that a summary tells: totals, kinds, providers, and every month."""
    found = await histories.gateway.ask(SUMMARY, reference=OWNER, **{"from": begin})
    units = found.data["customer"]["creditSummary"]["units"]
    assert len(units) > 1
    assert sum(unit["count"] for unit in units) >= ENTRIES
    assert all(len(unit["series"]) > 1 for unit in units)
    return found


def test_page_200_takes_as_long_as_page_1(times: Times) -> None:
    ratio = times.far_page / times.near_page

    shown = f"{ratio:.2f} ({_ms(times.far_page)} / {_ms(times.near_page)})"
    note(f"page {PAGE} / page 1, {ROWS} rows each", shown, "1.5")
    assert ratio <= 1.5


def test_a_summary_of_10000_entries_takes_no_longer_than_fifteen_pages(times: Times) -> None:
    ratio = times.summary / times.near_page

    shown = f"{ratio:.1f} ({_ms(times.summary)} / {_ms(times.near_page)})"
    note(f"creditSummary over {ENTRIES} entries / page of {ROWS}", shown, "15")
    assert ratio <= 15


def test_an_entry_takes_at_most_250_bytes_in_redis(histories: LongHistories) -> None:
    changes = [one for one in histories.mirrors if one.stream is Stream.CREDIT_CHANGES]
    all_bytes = sum(one.bytes for one in histories.mirrors)
    entries = ENTRIES * len(changes)

    for one in histories.mirrors:
        note(f"Redis bytes / entry, {one.provider} {one.stream}", f"{one.bytes / ENTRIES:.0f}")
    alone = sum(one.bytes for one in changes) / entries
    note("Redis bytes / credit change", f"{alone:.0f}", "250")
    note("the same with the payments' bytes", f"{all_bytes / entries:.0f}", "250")
    assert len(changes) == 3
    assert all_bytes / entries <= 250


def test_the_memory_of_a_history_is_estimated_within_a_third(histories: LongHistories) -> None:
    for one in histories.mirrors:
        snapshot, taken_bytes = decoded(one)

        off = snapshot.weight / taken_bytes - 1
        shown = f"{off:+.0%} ({taken_bytes / ENTRIES:.0f} bytes / entry)"
        note(f"estimate of memory, {one.provider} {one.stream}", shown, "35%")
        assert abs(off) <= 0.35


def decoded(one: Stored) -> tuple[Snapshot, int]:
    """Decode a mirror as it was read from Redis; return the bytes it takes with its timeline."""
    gc.collect()
    tracemalloc.start()
    try:
        snapshot = SnapshotCodec(one.stream).decoded(one.found, one.translation, None)
        assert snapshot
        assert len(snapshot.timeline.entries) == ENTRIES
        gc.collect()
        return snapshot, tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
