import json
import time
from collections.abc import Iterator

import httpx
import pytest
from sandbox_world import CARECLOUD, LOGIN, World, serving

from app.sandbox import Sandbox

LOG = "/billing/credit-log"


@pytest.fixture(scope="module")
def served() -> Iterator[World]:
    with serving(Sandbox(entries=30)) as world:
        yield world


@pytest.fixture
def world(served: World) -> Iterator[World]:
    yield served
    for provider in ("cloudreve", "hostup", "carecloud"):
        served.http.delete(f"/control/faults/{provider}")


def fault(world: World, provider: str, **wish: object) -> None:
    assert world.http.put(f"/control/faults/{provider}", json=wish).status_code == 200


def test_a_status_is_given_as_wished(world: World) -> None:
    fault(world, "hostup", kind="status", status=503, headers={"X-Why": "test"}, body="")
    answer = world.hostup(LOG, page=0)

    assert (answer.status_code, answer.headers["x-why"], answer.content) == (503, "test", b"")


def test_too_many_requests_are_told_in_hostups_words(world: World) -> None:
    fault(world, "hostup", kind="status", status=429, headers={"Retry-After": "7"})
    answer = world.hostup(LOG, page=0)

    body = answer.json()
    assert list(body) == ["error", "message", "retryAfter", "requestId"]
    assert body["retryAfter"] == answer.headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [429, 503])
def test_carecloud_has_no_body_when_it_is_busy(world: World, status: int) -> None:
    fault(world, "carecloud", kind="status", status=status)
    answer = world.http.post(f"{CARECLOUD}/users/actions/login", json=LOGIN)

    assert (answer.status_code, answer.content) == (status, b"")
    assert "retry-after" not in answer.headers


def test_an_internal_error_has_each_providers_shape(world: World) -> None:
    fault(world, "hostup", kind="status", status=500)
    fault(world, "carecloud", kind="status", status=500)

    assert world.hostup(LOG, page=0).json()["code"] == "INTERNAL_ERROR"
    answer = world.http.post(f"{CARECLOUD}/users/actions/login", json=LOGIN)
    assert "detail" in answer.json()["error"]


def test_a_hanging_provider_never_answers(world: World) -> None:
    fault(world, "hostup", kind="hang")

    with pytest.raises(httpx.ReadTimeout):
        world.http.get("/hostup/api/account/currency", timeout=httpx.Timeout(10, read=0.1))


def test_a_server_stops_although_a_request_hangs() -> None:
    with serving(Sandbox(entries=0)) as world:
        world.sandbox.set_fault("hostup", {"kind": "hang"})
        with pytest.raises(httpx.ReadTimeout):
            world.http.get("/hostup/api/account/currency", timeout=httpx.Timeout(10, read=0.05))
        started = time.monotonic()

    assert time.monotonic() - started < 1


def test_latency_delays_one_answer(world: World) -> None:
    fault(world, "hostup", kind="latency", ms=60, times=1)
    started = time.monotonic()

    assert world.hostup(LOG, page=0).status_code == 200
    assert time.monotonic() - started >= 0.06


def test_html_comes_with_status_200(world: World) -> None:
    fault(world, "cloudreve", kind="html")
    answer = world.http.get("/cloudreve/api/v4/user/setting")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("kind", ["truncate", "garbage"])
def test_a_damaged_body_cannot_be_read(world: World, kind: str) -> None:
    fault(world, "hostup", kind=kind)
    answer = world.hostup(LOG, page=0)

    assert answer.headers["content-type"] == "application/json"
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.content)


def test_a_truncated_body_is_the_first_half(world: World) -> None:
    whole = world.hostup(LOG, page=0).content
    fault(world, "hostup", kind="truncate")

    assert len(world.hostup(LOG, page=0).content) == len(whole) // 2


def test_the_content_type_can_be_wrong(world: World) -> None:
    fault(world, "hostup", kind="content_type", value="text/plain")
    answer = world.hostup(LOG, page=0)

    assert answer.headers["content-type"] == "text/plain"
    assert answer.json()["success"]


def test_an_envelope_error_comes_with_status_200(world: World) -> None:
    fault(world, "cloudreve", kind="envelope_error", code=40018)
    fault(world, "hostup", kind="envelope_error")

    answer = world.cloudreve("/user/setting", token="any")
    assert (answer["code"], "data" in answer) == (40018, False)
    body = world.hostup(LOG, page=0).json()
    assert (body["success"], body["data"]) == (False, None)


def test_an_inner_failure_contradicts_the_outer_success(world: World) -> None:
    fault(world, "hostup", kind="inner_failure")
    body = world.hostup(LOG, page=0).json()

    assert (body["success"], body["data"]["success"]) == (True, False)


def test_an_answer_can_be_replaced(world: World) -> None:
    fault(world, "hostup", kind="replace", body={"data": None, "success": True})

    assert world.hostup(LOG, page=0).json() == {"data": None, "success": True}


def test_a_connection_can_be_reset(world: World) -> None:
    fault(world, "hostup", kind="reset")

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        world.hostup(LOG, page=0)


def test_a_fault_begins_late_and_heals(world: World) -> None:
    fault(world, "hostup", kind="status", status=500, after=1, times=2)

    statuses = [world.hostup(LOG, page=0).status_code for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]


def test_a_fault_can_be_kept_to_one_endpoint(world: World) -> None:
    fault(world, "hostup", kind="status", status=500, path="/account/currency", times=1)

    assert world.hostup(LOG, page=0).status_code == 200
    assert world.hostup("/account/currency").status_code == 500
    assert world.hostup("/account/currency").status_code == 200


def test_a_lifted_fault_is_gone(world: World) -> None:
    fault(world, "hostup", kind="html")
    world.http.delete("/control/faults/hostup")

    assert world.hostup(LOG, page=0).json()["success"]
