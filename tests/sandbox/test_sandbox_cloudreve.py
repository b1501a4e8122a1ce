import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sandbox_world import CLOUDREVE, World, serving

from app.sandbox import Sandbox

CHANGES = "/user/creditChanges"
PAYMENTS = "/user/payments"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with serving(Sandbox()) as served:
        yield served


@pytest.fixture
def fresh() -> Iterator[World]:
    with serving(Sandbox(entries=15)) as served:
        yield served


def test_a_list_has_the_documented_envelope(world: World) -> None:
    answer = world.cloudreve(CHANGES, page_size=10)

    assert list(answer) == ["code", "data", "msg"]
    assert (answer["code"], answer["msg"]) == (0, "")
    assert list(answer["data"]) == ["pagination", "changes"]
    pagination = answer["data"]["pagination"]
    assert list(pagination) == ["page", "page_size", "next_token", "is_cursor"]
    assert (pagination["page"], pagination["page_size"], pagination["is_cursor"]) == (0, 10, True)


@pytest.mark.parametrize("size", ["", "9", "101", "ten", "10.0", "-10"])
def test_a_page_size_out_of_range_is_refused(world: World, size: str) -> None:
    answer = world.cloudreve(CHANGES, page_size=size)

    assert list(answer) == ["code", "msg", "correlation_id"]
    assert answer["code"] == 40001


def test_a_missing_page_size_is_refused(world: World) -> None:
    assert world.cloudreve(CHANGES)["code"] == 40001


def test_an_unknown_direction_is_refused(world: World) -> None:
    assert world.cloudreve(CHANGES, page_size=10, order_direction="DESC")["code"] == 40001


@pytest.mark.parametrize(("path", "key"), [(CHANGES, "changes"), (PAYMENTS, "payments")])
def test_a_walk_gives_every_row_once_in_both_directions(world: World, path: str, key: str) -> None:
    up = world.walk(path, key)
    down = world.walk(path, key, order_direction="desc")

    assert len(up) == 120
    assert down == up[::-1]
    assert len({row["id"] for row in world.walk(PAYMENTS, "payments")}) == 120


def test_the_default_direction_is_ascending(world: World) -> None:
    times = [row["changed_at"] for row in world.walk(CHANGES, "changes")]

    assert times == sorted(times)
    assert all(re.fullmatch(r"[\d-]{10}T[\d:]{8}\+08:00", time) for time in times)


def test_a_cursor_is_standard_base64_of_an_id(world: World) -> None:
    data = world.cloudreve(PAYMENTS, page_size=10)["data"]

    token = data["pagination"]["next_token"]
    assert json.loads(base64.b64decode(token, validate=True)) == {"id": data["payments"][-1]["id"]}


@pytest.mark.parametrize(
    "token", ["nonsense", "eyJpZCI6Inh4cUR1QSJ9", "bnVsbA==", "eyJpZCI6NX0=", "e30="]
)
def test_a_malformed_or_foreign_cursor_is_a_database_error(world: World, token: str) -> None:
    assert world.cloudreve(CHANGES, page_size=10, next_page_token=token)["code"] == 50001


def test_a_cursor_of_the_other_list_is_a_database_error(world: World) -> None:
    token = world.cloudreve(PAYMENTS, page_size=10)["data"]["pagination"]["next_token"]

    assert world.cloudreve(CHANGES, page_size=10, next_page_token=token)["code"] == 50001


def test_credit_is_the_sum_of_all_changes(world: World) -> None:
    changes = world.walk(CHANGES, "changes")

    assert world.cloudreve("/user/setting")["data"]["credit"] == sum(c["diff"] for c in changes)


def test_changes_hold_equal_rows_ties_and_unknown_reasons(world: World) -> None:
    changes = world.walk(CHANGES, "changes")

    assert any(one == other for one, other in pairwise(changes))
    assert len({row["changed_at"] for row in changes}) < len(changes) - 4
    assert {"recharge", "pay", "share_purchased", "adjust", "gift_code"} <= {
        row["reason"] for row in changes
    }


def test_payments_hold_every_status_product_and_way_to_pay(world: World) -> None:
    payments = world.walk(PAYMENTS, "payments")

    assert {row["status"] for row in payments} == {
        *("created", "paid", "fulfilled", "fulfill_failed", "canceled")
    }
    assert {row["product_type"] for row in payments} == {0, 1, 2, 3, 4}
    assert {"", "CNY", "JPY", "USD", "EUR", None} == {row.get("price_id") for row in payments}
    assert {row.get("price_one_unit") for row in payments} == {0, 1, 100, None}
    assert all(row["price_one_unit"] == 1 for row in payments if row.get("price_id") == "JPY")
    assert any("price_unit" not in row for row in payments)
    assert any("ticket" in row for row in payments)
    assert all(re.fullmatch(r"\d{26}", row["trade_no"]) for row in payments)


def test_an_empty_list_is_null() -> None:
    with serving(Sandbox(entries=0)) as world:
        data = world.cloudreve(CHANGES, page_size=10)["data"]

    assert data == {"pagination": {"page": 0, "page_size": 10, "is_cursor": True}, "changes": None}


@pytest.mark.parametrize("token", ["", "broken", "a.b.c"])
def test_without_a_good_access_token_login_is_required(world: World, token: str) -> None:
    answer = world.cloudreve("/user/setting", token=token)

    assert answer["code"] == 401
    assert "data" not in answer


def test_a_refresh_token_is_no_access_token(world: World) -> None:
    token = world.credentials("cloudreve")

    assert world.cloudreve("/user/setting", token=token)["code"] == 40020


def test_an_access_token_cannot_be_refreshed(world: World) -> None:
    access = world.renew()["data"]["access_token"]

    assert world.renew(access)["code"] == 40020
    assert world.renew("broken")["code"] == 40020


def test_a_refresh_is_flat_and_leaves_the_old_token_valid(world: World) -> None:
    first = world.renew()["data"]
    second = world.renew()["data"]

    assert list(first) == ["access_token", "refresh_token", "access_expires", "refresh_expires"]
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{1,6}\+08:00", first["access_expires"])
    assert first["refresh_token"] != second["refresh_token"]
    assert world.renew(first["refresh_token"])["code"] == 0


def test_a_refresh_token_can_be_made_single_use(fresh: World) -> None:
    fresh.sandbox.change_settings(rotate="single_use")
    new = fresh.renew()["data"]["refresh_token"]

    assert fresh.renew()["code"] == 40020
    assert fresh.renew(new)["code"] == 0


def test_an_access_token_expires_after_its_life() -> None:
    now = [datetime(2026, 11, 2, tzinfo=UTC)]
    with serving(Sandbox(entries=0, clock=lambda: now[0])) as world:
        token = world.renew()["data"]["access_token"]
        now[0] += timedelta(seconds=3599)
        before = world.cloudreve("/user/setting", token=token)["code"]
        now[0] += timedelta(seconds=1)
        after = world.cloudreve("/user/setting", token=token)["code"]

    assert (before, after) == (0, 401)


def test_control_can_expire_access_and_refresh_tokens(fresh: World) -> None:
    pair = fresh.renew()["data"]

    fresh.sandbox.expire_tokens("cloudreve", "access")
    assert fresh.cloudreve("/user/setting", token=pair["access_token"])["code"] == 401
    assert fresh.renew()["code"] == 0
    fresh.sandbox.expire_tokens("cloudreve", "refresh")
    assert fresh.renew()["code"] == 40020
    assert fresh.renew(pair["refresh_token"])["code"] == 40020
    issued = fresh.sandbox.issue_credentials("cloudreve", "C-1001")
    assert fresh.renew(issued["refreshToken"])["code"] == 0


def test_tokens_outlive_a_restart() -> None:
    with serving(Sandbox(entries=0)) as world:
        token = world.renew()["data"]["refresh_token"]
    with serving(Sandbox(entries=0)) as world:
        assert world.renew(token)["code"] == 0


def test_a_walk_survives_new_and_removed_rows(fresh: World) -> None:
    first = fresh.cloudreve(PAYMENTS, page_size=10, order_direction="desc")["data"]
    fresh.sandbox.add_entry("cloudreve", "payments", "C-1001")
    last = first["payments"][-1]["id"]
    fresh.sandbox.delete_entry("cloudreve", "payments", "C-1001", entry_id=last)
    token = first["pagination"]["next_token"]
    second = fresh.cloudreve(PAYMENTS, page_size=10, order_direction="desc", next_page_token=token)[
        "data"
    ]

    assert len(second["payments"]) == 5
    assert not {row["id"] for row in first["payments"]} & {row["id"] for row in second["payments"]}


def test_an_unknown_path_is_no_json(world: World) -> None:
    answer = world.http.get(f"{CLOUDREVE}/user/nothing")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
