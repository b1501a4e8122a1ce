"""A credit summary over HTTP: what adding up all pages of the credit changes would show."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lists import Row, account_of, at, customer_list
from sums import FROM, QUERY, TO, amount, instant, provider_of, read_units, summary, units_of
from world import World, world

Condition = Callable[[Row], bool]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("summary"), entries=60) as one:
        yield one


@pytest.fixture(scope="module")
def whole(served: World) -> list[Row]:
    """Return the rows of all pages, newest first."""
    return customer_list(served, "creditChanges").rows()


def test_the_totals_are_the_sums_of_all_pages_for_each_unit(
    served: World, whole: list[Row]
) -> None:
    found = summary(served)

    assert len(found["units"]) >= 3
    assert read_units(found) == units_of(whole)
    assert {source["state"] for source in found["sources"]} == {"FRESH"}


FILTERS: list[tuple[dict[str, Any], Condition]] = [
    ({"from": FROM}, lambda row: at(row) >= instant(FROM)),
    ({"to": TO}, lambda row: at(row) < instant(TO)),
    ({"from": FROM, "to": TO}, lambda row: instant(FROM) <= at(row) < instant(TO)),
    ({"from": FROM, "filter": {"to": TO}}, lambda row: instant(FROM) <= at(row) < instant(TO)),
    (
        {"from": FROM, "to": TO, "filter": {"from": "2026-01-01T00:00:00Z"}},
        lambda row: instant("2026-01-01T00:00:00Z") <= at(row) < instant(TO),
    ),
    (
        {"to": TO, "filter": {"to": FROM}},
        lambda row: at(row) < instant(FROM),
    ),
    ({"from": TO, "filter": {"to": FROM}}, lambda _: False),
    ({"from": FROM, "to": FROM}, lambda _: False),
    ({"from": None, "to": None, "filter": None}, lambda _: True),
    ({"filter": {"providers": ["hosting"]}}, lambda row: provider_of(row) == "hosting"),
    ({"filter": {"providers": []}}, lambda _: False),
    ({"filter": {"kinds": ["SPEND"]}}, lambda row: row["kind"] == "SPEND"),
    ({"filter": {"direction": "OUT"}}, lambda row: amount(row) < 0),
    ({"filter": {"unit": "SEK"}}, lambda row: row["amount"]["unit"] == "SEK"),
    ({"filter": {"minAmount": "100"}}, lambda row: amount(row) >= 100),
]


@pytest.mark.parametrize(("arguments", "holds"), FILTERS, ids=[str(a) for a, _ in FILTERS])
def test_the_range_and_the_filter_both_hold(
    served: World, whole: list[Row], arguments: dict[str, Any], holds: Condition
) -> None:
    found = summary(served, **arguments)

    assert read_units(found) == units_of([row for row in whole if holds(row)])


def test_chosen_accounts_and_providers_are_the_sources(served: World, whole: list[Row]) -> None:
    chosen = whole[0]["account"]["id"]

    of_account = summary(served, filter={"accounts": [chosen]})
    of_provider = summary(served, filter={"providers": ["cloud"]})

    assert read_units(of_account) == units_of(
        [row for row in whole if account_of(row) == account_of(whole[0])]
    )
    assert [source["account"]["id"] for source in of_account["sources"]] == [chosen]
    assert {source["account"]["provider"]["name"] for source in of_provider["sources"]} == {"cloud"}


@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "America/Santiago"])
def test_the_series_is_the_days_of_the_zone(served: World, whole: list[Row], zone: str) -> None:
    found = summary(served, bucket="DAY", timeZone=zone)

    for unit in found["units"]:
        rows = [row for row in whole if row["amount"]["unit"] == unit["unit"]]
        days = [at(row).astimezone(ZoneInfo(zone)).date() for row in rows]
        series = unit["series"]
        shown = [instant(point["start"]).astimezone(ZoneInfo(zone)).date() for point in series]
        length = (max(days) - min(days)).days + 1
        assert shown == [min(days) + timedelta(days=number) for number in range(length)]
        line = Decimal(0)
        for day, point in zip(shown, series, strict=True):
            of_day = [amount(row) for row, its in zip(rows, days, strict=True) if its == day]
            line += sum(of_day, Decimal(0))
            assert Decimal(point["net"]["amount"]) == sum(of_day, Decimal(0))
            assert Decimal(point["cumulative"]["amount"]) == line
            assert point["start"].endswith("Z")
        assert series[-1]["cumulative"]["amount"] == unit["net"]["amount"]


@pytest.mark.parametrize("bucket", ["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"])
def test_every_bucket_adds_up_to_the_totals(served: World, bucket: str) -> None:
    found = summary(served, bucket=bucket, timeZone="Asia/Kolkata")

    for unit in found["units"]:
        for name in ("received", "spent", "net"):
            shown = sum((Decimal(point[name]["amount"]) for point in unit["series"]), Decimal(0))
            assert shown == Decimal(unit[name]["amount"])
            assert name == "net" or Decimal(unit[name]["amount"]) >= 0


BAD: list[tuple[dict[str, Any], str]] = [
    ({"from": TO, "to": FROM}, "earlier one first"),
    ({"from": "yesterday"}, "RFC 3339"),
    ({"timeZone": "Stockholm"}, "Europe/Stockholm"),
    ({"timeZone": "europe/stockholm"}, "Europe/Stockholm"),
    ({"timeZone": ""}, "Europe/Stockholm"),
    ({"timeZone": "Europe"}, "Europe/Stockholm"),
    ({"timeZone": "localtime"}, "Europe/Stockholm"),
    ({"timeZone": "../../etc/passwd"}, "Europe/Stockholm"),
    ({"timeZone": "/etc/localtime"}, "Europe/Stockholm"),
    ({"timeZone": "Europe/Stockholm\0"}, "Europe/Stockholm"),
    ({"timeZone": "+02:00"}, "Europe/Stockholm"),
    ({"timeZone": "é\u2028" * 500}, "Europe/Stockholm"),
    ({"timeZone": None}, "String"),
    ({"bucket": "HOUR"}, "HOUR"),
    ({"bucket": None}, "SummaryBucket"),
    ({"filter": {"providers": ["nowhere"]}}, "cloud, hosting, loyalty"),
    ({"filter": {"accounts": ["x"]}}, "ids of Account objects"),
    ({"filter": {"from": TO, "to": FROM}}, "earlier one first"),
]


@pytest.mark.parametrize(("arguments", "says"), BAD, ids=[str(a)[:60] for a, _ in BAD])
def test_a_bad_argument_is_told(served: World, arguments: dict[str, Any], says: str) -> None:
    answer = served.ask(QUERY, {"reference": "C-1002", **arguments})

    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert says in error["message"]


def test_a_series_without_end_is_refused_and_the_totals_are_not(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with world(tmp_path_factory.mktemp("ages"), entries=5, more="[limits]\ncost = 10000") as one:
        one.sandbox.add_entry(
            "hostup", "credit_changes", "C-1001", at=instant("1900-01-01T00:00:00Z"), position=5
        )

        asked = {"reference": "C-1001", "filter": {"providers": ["hosting"]}}
        refused = one.ask(QUERY, {**asked, "bucket": "DAY"})
        by_month = one.data(QUERY, asked)["customer"]["creditSummary"]
        without_series = one.data("""{ customer(reference: "C-1001") {
          creditSummary(bucket: DAY, filter: { providers: ["hosting"] }) { units { count } } } }""")

    (error,) = refused["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "choose a larger `bucket`" in error["message"]
    assert len(by_month["units"][0]["series"]) > 1200
    assert without_series["customer"]["creditSummary"]["units"] == [{"count": 6}]
