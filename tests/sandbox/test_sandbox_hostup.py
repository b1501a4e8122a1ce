import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, pairwise

import pytest
from sandbox_world import HOSTUP, World, serving

from app.sandbox import ControlError, Sandbox

LOG = "/billing/credit-log"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Sandbox()) as served:
        yield served


@pytest.fixture
def fresh() -> Iterator[World]:
    with serving(Sandbox(entries=60)) as served:
        yield served


def test_success_is_told_twice(world: World) -> None:
    answer = world.hostup(LOG, page=0).json()

    assert list(answer) == ["success", "timestamp", "requestId", "data"]
    assert list(answer["data"]) == ["log", "hasMore", "success"]
    assert answer["success"] is answer["data"]["success"] is True
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", answer["timestamp"])


def test_pages_have_25_rows_from_page_zero(world: World) -> None:
    pages = world.log_pages()

    assert [len(page) for page in pages] == [25, 25, 25, 25, 20]
    assert world.hostup(LOG, page=5).json()["data"] == {
        "log": [],
        "hasMore": False,
        "success": True,
    }


def test_ids_fall_and_every_value_is_a_string(world: World) -> None:
    rows = list(chain(*world.log_pages()))

    ids = [int(row["id"]) for row in rows]
    assert ids == sorted(set(ids), reverse=True)
    for row in rows:
        edit = row.pop("data_edit")
        assert all(isinstance(value, str) for value in chain(row.values(), edit.values()))
        year, month, day = row["date"][:10].split("-")
        assert edit["date"] == f"{day}/{month}/{year}"
        assert re.fullmatch(r"[\d-]{10} [\d:]{8}", row["date"])


def test_a_row_has_the_documented_fields(world: World) -> None:
    row = world.hostup(LOG, page=0).json()["data"]["log"][0]

    assert list(row) == [
        *("id", "date", "client_id", "in", "out", "balance", "description", "invoice_id"),
        *("transaction_id", "admin_id", "admin_name", "firstname", "lastname", "currency_id"),
        *("transid", "brand_id", "client_brand_id", "data_edit"),
    ]
    assert list(row["data_edit"]) == [
        *("id", "date", "client_id", "in", "out", "balance", "description"),
        *("transaction_id", "invoice_id"),
    ]


def test_balances_run_and_never_fall_below_zero(world: World) -> None:
    rows = list(chain(*world.log_pages()))

    for newer, older in pairwise(rows):
        moved = Decimal(newer["in"]) - Decimal(newer["out"])
        assert Decimal(newer["balance"]) == Decimal(older["balance"]) + moved
    assert all(Decimal(row["balance"]) >= 0 for row in rows)
    summary = world.hostup("/billing/account-summary").json()["data"]
    assert summary["credit"] == rows[0]["balance"]


def test_the_log_holds_two_currencies_staff_and_the_repeated_hour(world: World) -> None:
    rows = list(chain(*world.log_pages()))

    assert {row["currency_id"] for row in rows} == {"0", "1"}
    assert any(row["admin_name"] and row["admin_id"] != "0" for row in rows)
    repeated = [row["date"] for row in rows if row["date"].startswith("2026-10-25 02:")]
    assert repeated == ["2026-10-25 02:40:00", "2026-10-25 02:20:00"] * 2


def test_currencies_are_told_with_ids_of_both_types(world: World) -> None:
    data = world.hostup("/account/currency").json()["data"]

    assert data["currentCurrencyId"] == "0"
    assert (data["currentCurrency"]["id"], data["currentCurrency"]["rate"]) == (0, 1)
    base = data["currencies"][0]
    assert (base["id"], base["code"], base["iso"]) == ("0", "kr", "SEK")
    assert data["currencies"][1]["iso"] == "EUR"


def test_a_bearer_key_is_accepted_too(world: World) -> None:
    key = world.credentials("hostup")
    headers = {"Authorization": f"Bearer {key}"}

    assert world.http.get(f"{HOSTUP}/account/currency", headers=headers).status_code == 200


def test_a_wrong_key_is_refused_without_a_success_field(world: World) -> None:
    answer = world.hostup(LOG, key="wrong", page=0)

    assert answer.status_code == 401
    body = answer.json()
    assert list(body) == ["error", "message", "code", "timestamp", "requestId"]
    assert (body["error"], body["code"]) == ("Unauthorized", "UNAUTHORIZED")


@pytest.mark.parametrize("query", [{}, {"page": ""}, {"page": "-1"}, {"page": "one"}])
def test_a_missing_or_wrong_page_is_a_bad_request(world: World, query: dict[str, str]) -> None:
    answer = world.hostup(LOG, **query)

    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_an_unknown_path_is_not_found(world: World) -> None:
    answer = world.hostup("/billing/nothing")

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_transactions_are_paged_by_filter_or_query(world: World) -> None:
    first = world.transactions({"filters": {}}).json()["data"]
    by_filter = world.transactions({"filters": {"page": 1}}).json()["data"]
    by_query = world.transactions({"filters": {}}, page="1").json()["data"]

    assert list(first) == ["transactions", "hasMore", "success"]
    assert first["hasMore"]
    assert by_filter == by_query != first
    assert list(first["transactions"][0]) == [
        *("id", "in", "out", "fee", "type", "status", "date", "description", "module"),
        *("trans_id", "invoice_id", "currency_id", "client_id", "firstname", "lastname"),
        "companyname",
    ]


def test_transactions_are_in_several_statuses(world: World) -> None:
    pages = [world.transactions({"filters": {"page": n}}).json()["data"] for n in range(5)]

    statuses = {row["status"] for page in pages for row in page["transactions"]}
    assert {"Success", "Refunded", "Pending"} <= statuses
    assert not pages[-1]["hasMore"]


@pytest.mark.parametrize("body", [[], {"filters": []}, {"filters": {"page": "x"}}])
def test_an_unreadable_filter_is_a_bad_request(world: World, body: object) -> None:
    assert world.transactions(body).status_code == 400


def test_an_added_row_shifts_the_pages(fresh: World) -> None:
    before = fresh.log_pages()
    added = fresh.sandbox.add_entry(
        "hostup", "credit_changes", "C-1001", entry={"in": "12.50", "description": "Gift"}
    )
    after = fresh.log_pages()

    assert after[0][0] == added
    assert after[1][0] == before[0][-1]
    assert Decimal(added["balance"]) == Decimal(before[0][0]["balance"]) + Decimal("12.50")
    summary = fresh.hostup("/billing/account-summary").json()["data"]
    assert summary["credit"] == added["balance"]


def test_a_row_put_in_between_moves_the_balances_above_it(fresh: World) -> None:
    before = fresh.log_pages()
    added = fresh.sandbox.add_entry("hostup", "credit_changes", "C-1001", position=3)
    after = fresh.log_pages()

    assert int(after[0][2]["id"]) > int(added["id"]) > int(after[0][4]["id"])
    assert Decimal(after[0][0]["balance"]) == Decimal(before[0][0]["balance"]) + 100
    assert after[0][4] == before[0][3]


def test_a_row_can_be_edited_and_deleted(fresh: World) -> None:
    row = fresh.log_pages()[0][2]
    place = {"entry_id": row["id"]}
    fresh.sandbox.change_entry(
        "hostup", "credit_changes", "C-1001", entry={"description": "Corrected"}, **place
    )
    assert fresh.log_pages()[0][2]["description"] == "Corrected"

    fresh.sandbox.delete_entry("hostup", "credit_changes", "C-1001", **place)
    assert row["id"] not in {each["id"] for page in fresh.log_pages() for each in page}
    with pytest.raises(ControlError):
        fresh.sandbox.delete_entry("hostup", "credit_changes", "C-1001", **place)


def test_accounts_of_one_customer_are_apart(world: World) -> None:
    first = world.hostup(LOG, key=world.credentials("hostup", 1, 0), page=0).json()["data"]["log"]
    second = world.hostup(LOG, key=world.credentials("hostup", 1, 1), page=0).json()["data"]["log"]

    assert first[0]["client_id"] != second[0]["client_id"]
    assert not {row["id"] for row in first} & {row["id"] for row in second}
