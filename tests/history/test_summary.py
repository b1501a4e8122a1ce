"""Totals and their course: always what adding up by hand would show."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from histories import ACCOUNTS
from hypothesis import example, given
from hypothesis import strategies as st
from rows import UNITS, amounts, buckets, histories, zones

from app.history.summary import SummaryBucket, Totals, series, summed
from app.history.window import Row
from app.model.entries import CreditChange, CreditChangeKind

PROVIDERS = dict(zip(ACCOUNTS, ("cloud", "hosting", "hosting", "loyalty"), strict=True))


def change_of(one: Row) -> CreditChange:
    assert isinstance(one.entry, CreditChange)
    return one.entry


def by_hand(rows: Sequence[Row]) -> tuple[int, Decimal, Decimal, Decimal]:
    given_amounts = [one.entry.amount.amount for one in rows]
    received = sum((one for one in given_amounts if one > 0), Decimal(0))
    spent = -sum((one for one in given_amounts if one < 0), Decimal(0))
    return len(rows), received, spent, sum(given_amounts, Decimal(0))


def told(totals: Totals) -> tuple[int, Decimal, Decimal, Decimal]:
    return totals.count, totals.received, totals.spent, totals.net


@given(rows=histories())
def test_the_totals_are_the_sums_of_each_unit_by_hand(rows: list[Row]) -> None:
    units = summed(rows, PROVIDERS)

    of_unit = {
        (kind, unit): [
            one for one in rows if (one.entry.amount.kind, one.entry.amount.unit) == (kind, unit)
        ]
        for unit, kind in UNITS
    }
    assert [(one.kind, one.unit) for one in units] == sorted(
        key for key, rows_of_unit in of_unit.items() if rows_of_unit
    )
    for one in units:
        expected = of_unit[one.kind, one.unit]
        assert one.rows == expected
        assert told(one.totals) == by_hand(expected)
        assert [(kind, told(part)) for kind, part in one.by_kind] == [
            (kind, by_hand(part))
            for kind in CreditChangeKind
            if (part := [row for row in expected if change_of(row).kind is kind])
        ]
        assert {name: told(part) for name, part in one.by_provider.items()} == {
            name: by_hand(part)
            for name in PROVIDERS.values()
            if (part := [row for row in expected if PROVIDERS[row.key[1]] == name])
        }


@given(rows=histories(units=UNITS[:1]), bucket=buckets, zone=zones)
def test_the_buckets_part_the_entries_and_are_the_first_entrys_to_the_last_ones(
    rows: list[Row], bucket: SummaryBucket, zone: ZoneInfo
) -> None:
    points = series(rows, bucket, zone)

    ends = [*(point.start for point in points), datetime.max.replace(tzinfo=UTC)][1:]
    parts = [
        [one for one in rows if point.start <= one.entry.at < end]
        for point, end in zip(points, ends, strict=True)
    ]
    assert [told(point.totals) for point in points] == [by_hand(part) for part in parts]
    assert sum(len(part) for part in parts) == len(rows)
    assert bool(points) == bool(rows)
    if points:
        assert points[0].totals.count
        assert points[-1].totals.count


@given(rows=histories(units=UNITS[:1]), bucket=buckets, zone=zones)
def test_the_line_ends_at_net(rows: list[Row], bucket: SummaryBucket, zone: ZoneInfo) -> None:
    points = series(rows, bucket, zone)

    lines = [Decimal(0), *(point.cumulative for point in points)]
    assert [after - before for before, after in pairwise(lines)] == [
        point.totals.net for point in points
    ]
    assert lines[-1] == by_hand(rows)[3]


@given(st.lists(amounts, max_size=8))
@example([Decimal("-39.00"), Decimal("39.00")])
@example([Decimal("-0.00")])
@example([Decimal(1), Decimal("0.00")])
def test_sums_keep_every_digit_and_are_never_a_negative_zero(given_amounts: list[Decimal]) -> None:
    totals = Totals.of(given_amounts)

    assert all(not one.is_signed() for one in (totals.received, totals.spent))
    assert not totals.net.is_signed() or totals.net
    assert str(totals.net) == str(sum(given_amounts, Decimal(0)))


def test_more_digits_than_decimals_usually_have_are_not_rounded() -> None:
    totals = Totals.of([Decimal("900000000000000000000.01"), Decimal("0.00000000000000000001")])

    assert str(totals.net) == "900000000000000000000.01000000000000000001"
