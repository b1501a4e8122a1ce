import asyncio
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sandbox_world import World, serving

from app.sandbox import ControlError, Sandbox

LOG = "/billing/credit-log"


@pytest.fixture
def world() -> Iterator[World]:
    with serving(Sandbox(entries=30)) as served:
        yield served


def everything(seed: int) -> list[Any]:
    with serving(Sandbox(seed=seed)) as world:
        return [
            world.sandbox.sample_customers(),
            world.walk("/user/creditChanges", "changes"),
            world.walk("/user/payments", "payments"),
            world.log_pages(),
            world.transactions({"filters": {}}).json()["data"],
            world.records(),
        ]


def test_one_seed_gives_the_same_and_another_something_else() -> None:
    first, again, other = everything(1), everything(1), everything(2)

    assert json.dumps(first) == json.dumps(again)
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_histories_do_not_depend_on_the_order_they_are_asked_in() -> None:
    with serving(Sandbox()) as world:
        records = world.records()
        pages = world.log_pages()

    assert [pages, records] == [everything(1)[3], everything(1)[5]]


@pytest.mark.parametrize("entries", [1, 2, 5, 9])
def test_small_histories_are_whole_too(entries: int) -> None:
    with serving(Sandbox(entries=entries, customers=1)) as world:
        assert len(world.walk("/user/creditChanges", "changes")) == entries
        assert len(world.log_pages()[0]) == entries
        assert len(world.records()) == entries


def test_sample_customers_have_one_account_each_and_one_a_second(world: World) -> None:
    customers = world.http.get("/control/customers").json()

    assert customers == world.sandbox.sample_customers()
    assert [each["reference"] for each in customers] == ["C-1001", "C-1002", "C-1003"]
    providers = [[account["provider"] for account in each["accounts"]] for each in customers]
    assert providers[0] == providers[2] == ["cloud", "hosting", "loyalty"]
    assert providers[1] == ["cloud", "hosting", "hosting", "loyalty"]
    assert list(customers[0]) == ["reference", "displayName", "accounts"]


def test_the_state_tells_the_login(world: World) -> None:
    login = world.http.get("/control/state").json()["providers"]["carecloud"]["login"]

    assert login == {
        "user_external_application_id": "sandbox-app",
        "login": "gateway",
        "password": "sandbox-password",
    }


def test_calls_are_counted_by_endpoint_and_reset(world: World) -> None:
    world.hostup(LOG, page=0)
    world.sandbox.set_fault("hostup", {"kind": "html"})
    world.hostup(LOG, page=1)

    assert world.http.get("/control/calls").json() == {"hostup /billing/credit-log": 2}
    world.http.delete("/control/calls")
    assert world.sandbox.calls() == {}


def test_the_log_has_no_credentials(world: World) -> None:
    world.cloudreve("/user/payments", page_size=10)
    world.log_in()
    lines = world.http.get("/control/log").json()

    assert lines[0]["body"] == {"refresh_token": "***"}
    assert lines[1] == {
        "provider": "cloudreve",
        "path": "/user/payments",
        "query": {"page_size": "10"},
        "body": None,
    }
    assert "sandbox-password" not in json.dumps(lines)


def test_an_entry_added_over_http_is_at_the_head(world: World) -> None:
    answer = world.http.post(
        "/control/entries",
        json={
            "provider": "cloudreve",
            "stream": "credit_changes",
            "reference": "C-1001",
            "entry": {"diff": -7, "reason": "pay"},
            "at": "2026-12-01T10:00:00Z",
        },
    )

    newest = world.cloudreve("/user/creditChanges", page_size=10, order_direction="desc")
    assert answer.json() == newest["data"]["changes"][0]
    assert answer.json() == {
        "changed_at": "2026-12-01T18:00:00+08:00",
        "diff": -7,
        "reason": "pay",
    }


def test_a_clock_behind_the_samples_still_adds_at_the_head() -> None:
    behind = datetime(2020, 1, 1, tzinfo=UTC)
    sandbox = Sandbox(entries=5, clock=lambda: behind)

    added = sandbox.add_entry("hostup", "credit_changes", "C-1001")
    assert added["date"] == "2026-11-01 13:00:00"


def test_a_payment_is_edited_and_deleted_over_http(world: World) -> None:
    address = {"provider": "cloudreve", "stream": "payments", "reference": "C-1001"}
    wish = {**address, "index": 0, "entry": {"status": "canceled"}}
    changed = world.http.request("PATCH", "/control/entries", json=wish).json()
    gone = world.http.request("DELETE", "/control/entries", json={**address, "id": changed["id"]})

    assert changed["status"] == "canceled"
    assert gone.json() == changed
    assert len(world.walk("/user/payments", "payments")) == 29


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/control/entries", {"provider": "hostup"}, 400),
        ("PUT", "/control/faults/hostup", {"kind": "volcano"}, 400),
        ("PUT", "/control/faults/nobody", {"kind": "html"}, 404),
        ("PUT", "/control/faults/carecloud", {"kind": "inner_failure"}, 400),
        ("PUT", "/control/settings", {"speed": 1}, 400),
        ("POST", "/control/tokens/expire", {"provider": "hostup", "what": "luck"}, 400),
    ],
)
def test_what_control_does_not_know_is_refused(
    world: World, method: str, path: str, body: dict[str, object], status: int
) -> None:
    answer = world.http.request(method, path, json=body)

    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_a_customer_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ControlError):
        Sandbox().add_entry("hostup", "credit_changes", "C-9999")


def test_settings_change_the_life_of_tokens_and_the_latency(world: World) -> None:
    wish = {"access_token_seconds": 0, "latency_ms": 60}
    assert world.http.put("/control/settings", json=wish).json() == {**wish, "rotate": "keep"}

    token = world.renew()["data"]["access_token"]
    started = time.monotonic()
    assert world.cloudreve("/user/setting", token=token)["code"] == 401
    assert time.monotonic() - started >= 0.06


def test_latency_is_set_at_the_start() -> None:
    with serving(Sandbox(entries=0, latency=timedelta(milliseconds=60))) as world:
        started = time.monotonic()
        world.hostup(LOG, page=0)

    assert time.monotonic() - started >= 0.06


def test_expired_hostup_keys_are_refused_until_new_ones_are_issued(world: World) -> None:
    world.http.post("/control/tokens/expire", json={"provider": "hostup"})
    assert world.hostup(LOG, page=0).status_code == 401

    wish = {"provider": "hostup", "reference": "C-1001"}
    key = world.http.post("/control/tokens/issue", json=wish).json()["apiKey"]
    assert world.hostup(LOG, key=key, page=0).status_code == 200


def test_a_stopped_sandbox_refuses_connections() -> None:
    with serving(Sandbox(entries=0)) as world:
        url = str(world.http.base_url)

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


_SERVE = """
from app.sandbox import Sandbox, run
run("127.0.0.1", 0, Sandbox(entries=5), started=lambda url: print(url, flush=True))
"""


async def test_run_serves_on_a_free_port_and_prints_nothing_of_its_own() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _SERVE, stdout=pipe, stderr=pipe
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with httpx.AsyncClient() as http:
        state = (await http.get(f"{url}/control/state")).json()
    process.terminate()
    printed = await process.communicate()

    assert state["entries"] == 5
    assert printed == (b"", b"")
