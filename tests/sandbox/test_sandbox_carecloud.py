import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

import httpx
import pytest
from sandbox_world import CARECLOUD, LOGIN, World, serving

from app.sandbox import Sandbox

HISTORY = "/credit-history"
TIME = "credit_history_record_time"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Sandbox()) as served:
        yield served


@pytest.fixture
def fresh() -> Iterator[World]:
    with serving(Sandbox(entries=20)) as served:
        yield served


def reason(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 400
    parameter = answer.json()["error"]["error_data"]["invalid_params"][0]
    return parameter["name"], parameter["reason"]


def test_a_login_gives_a_token_and_a_local_expiry(world: World) -> None:
    data = world.log_in()

    assert list(data) == ["bearer_token", "valid_to", "user"]
    assert re.fullmatch(r"[0-9a-f]{40}", data["bearer_token"])
    assert re.fullmatch(r"[\d-]{10} [\d:]{8}", data["valid_to"])


def test_wrong_and_missing_login_fields_are_refused(world: World) -> None:
    url = f"{CARECLOUD}/users/actions/login"
    wrong = world.http.post(url, json={**LOGIN, "password": "wrong"})
    missing = world.http.post(url, json={"login": LOGIN["login"]})

    assert wrong.status_code == 401
    assert reason(missing) == ("user_external_application_id", "required")


def test_without_a_token_the_answer_is_401(world: World) -> None:
    answer = world.http.get(CARECLOUD + HISTORY, params={"customer_id": "x"})

    assert answer.status_code == 401
    assert list(answer.json()["error"]) == ["type", "exception", "title", "detail", "error_data"]


def test_expired_tokens_are_refused_until_the_next_login(fresh: World) -> None:
    fresh.records()
    fresh.sandbox.expire_tokens("carecloud")

    assert fresh.carecloud(HISTORY).status_code == 401
    fresh._bearer = ""
    assert fresh.carecloud(HISTORY).status_code == 200


def test_a_second_login_leaves_the_first_token_valid(fresh: World) -> None:
    fresh.records()
    fresh.log_in()

    assert fresh.carecloud(HISTORY).status_code == 200


def test_the_default_is_the_oldest_100(world: World) -> None:
    data = world.carecloud(HISTORY).json()["data"]

    times = [row[TIME] for row in data["credit_history"]]
    assert (len(times), data["total_items"]) == (100, 120)
    assert times == sorted(times)


def test_descending_is_the_ascending_order_turned_round(world: World) -> None:
    up = world.records()
    down = world.records(sort_direction="DESC")

    assert down == up[::-1]


def test_offset_pages_give_every_record_once(world: World) -> None:
    pages = [world.records(count=50, offset=offset) for offset in (0, 50, 100)]

    assert [len(page) for page in pages] == [50, 50, 20]
    assert list(chain(*pages)) == world.records()


def test_count_is_capped_at_1000() -> None:
    with serving(Sandbox(entries=1100)) as world:
        data = world.carecloud(HISTORY, count=5000).json()["data"]

    assert (len(data["credit_history"]), data["total_items"]) == (1000, 1100)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("sort_direction", "asc", "not_allowed_value"),
        ("sort_field", "colour", "not_allowed_value"),
        ("count", "0", "not_allowed_value"),
        ("count", "many", "invalid_value_format"),
        ("offset", "-1", "invalid_value_format"),
        ("time_from", "2026-01-01T00:00:00Z", "invalid_value_format"),
        ("time_to", "2026-02-30 00:00:00", "invalid_value_format"),
        ("customer_id", "", "empty"),
    ],
)
def test_a_wrong_parameter_is_named(world: World, name: str, value: str, why: str) -> None:
    assert reason(world.carecloud(HISTORY, **{name: value})) == (name, why)


def test_the_customer_is_required(world: World) -> None:
    world.records()
    headers = {"Authorization": f"Bearer {world._bearer}"}

    answer = world.http.get(CARECLOUD + HISTORY, headers=headers)
    assert reason(answer) == ("customer_id", "required")


def test_an_unknown_customer_is_not_found(world: World) -> None:
    answer = world.carecloud(HISTORY, customer_id="nobody")

    assert answer.status_code == 404
    data = answer.json()["error"]["error_data"]
    assert data == {"resource_name": "customers", "resource_id": "nobody"}


@pytest.mark.parametrize("between", [" ", "T"])
def test_the_time_window_includes_both_ends(world: World, between: str) -> None:
    rows = world.records()
    start, end = (rows[index][TIME].replace(" ", between) for index in (30, 60))

    found = world.carecloud(HISTORY, count=1000, time_from=start, time_to=end).json()["data"]
    expected = [row for row in rows if rows[30][TIME] <= row[TIME] <= rows[60][TIME]]
    assert found["credit_history"] == expected
    assert found["total_items"] == len(expected)


def test_filters_are_substrings_and_combined(world: World) -> None:
    bonus = world.records(credit_operation_type="birthday")
    both = world.records(credit_operation_type="credit", credit_operation_note="Summer")

    assert bonus
    assert {row["credit_operation_type"] for row in bonus} == {"Birthday bonus"}
    assert all("Summer" in row["credit_operation_note"] for row in both)


def test_a_store_is_matched_exactly(world: World) -> None:
    store = next(row["store_id"] for row in world.records() if "store_id" in row)

    assert {row["store_id"] for row in world.records(store_id=store)} == {store}
    assert world.records(store_id=store[:5]) == []


@pytest.mark.parametrize(
    ("language", "word"),
    [
        ("cs, en-gb;q=0.8", "Platba"),
        ("", "Platba"),
        ("en", "Payment"),
        ("en-gb, cs;q=0.5", "Payment"),
    ],
)
def test_operations_are_czech_unless_english_is_asked_first(
    world: World, language: str, word: str
) -> None:
    names = {row["credit_operation_type"] for row in world.records(language=language)}

    assert any(name.startswith(word) for name in names)


def test_amounts_are_signed_numbers_and_optional_fields_may_be_missing(world: World) -> None:
    rows = world.records()

    assert all(isinstance(row["amount"], int | float) for row in rows)
    assert min(row["amount"] for row in rows) < 0 < max(row["amount"] for row in rows)
    assert any("credit_operation_note" not in row for row in rows)
    assert any(row.get("credit_operation_note", "") is None for row in rows)
    assert any("store_id" not in row for row in rows)


def test_two_records_of_one_second_are_equal(world: World) -> None:
    rows = Counter(str(sorted(row.items(), key=str)) for row in world.records())

    assert max(rows.values()) == 2


def test_the_overview_adds_up_by_currency(world: World) -> None:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in world.records():
        sums[row["currency_id"]] += Decimal(str(row["amount"]))
    data = world.carecloud("/wallet/actions/credits-overview").json()["data"]

    split = data["split_by_currency"]
    available = {one["currency_id"]: Decimal(str(one["available_credits"])) for one in split}
    assert available == sums
    assert Decimal(str(data["available_credits"])) == sum(sums.values())
    assert list(data) == [
        *("earned_credits", "redeemed_credits", "available_credits", "split_by_currency")
    ]


def test_currencies_are_resolved_by_id(world: World) -> None:
    data = world.carecloud("/currencies").json()["data"]

    assert data["total_items"] == 2
    assert [row["code"] for row in data["currencies"]] == ["CZK", "EUR"]
    assert {row["currency_id"] for row in world.records()} == {
        row["currency_id"] for row in data["currencies"]
    }


def test_an_added_record_stands_by_its_time(fresh: World) -> None:
    middle = fresh.records()[10][TIME]
    added = fresh.http.post(
        "/control/entries",
        json={
            "provider": "carecloud",
            "stream": "credit_changes",
            "reference": "C-1001",
            "entry": {TIME: middle, "amount": -0.1, "credit_operation_note": "Ours"},
        },
    ).json()

    rows = fresh.records()
    assert rows.index(added) == max(n for n, row in enumerate(rows) if row[TIME] == middle)
