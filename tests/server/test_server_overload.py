"""Who is one too many is refused by the head of the request alone, and the connection goes on."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from lists import until
from raw import Conversation, post
from scraping import scrape
from world import World, world

from app.server.limits import Limits, Overload

VIEWER = json.dumps({"query": "{ viewer { subject } }"}).encode()
SLOW = '{ customer(reference: "C-1001") { creditChanges(first: 5) { nodes { id } } } }'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = """[server]
max_in_flight = 1
[cache]
responses = false
fresh_for = "0s"
stale_for = "0s"
"""
    with world(tmp_path_factory.mktemp("overload"), more=more, entries=20) as one:
        yield one


@pytest.fixture
def full(served: World) -> Iterator[World]:
    """Give a gateway that has as much to do as it may for some seconds."""
    served.sandbox.set_fault("hostup", {"kind": "latency", "ms": 2500})
    served.sandbox.reset_calls()
    with ThreadPoolExecutor(1) as threads:
        slow: Future[httpx.Response] = threads.submit(
            served.http.post, "/graphql", json={"query": SLOW}
        )
        until(lambda: any(path.startswith("hostup") for path in served.sandbox.calls()))
        assert not slow.done()
        yield served
        served.sandbox.clear_fault("hostup")
        assert slow.result().status_code == 200


def refusals(one: World) -> float:
    labels = {"path": "graphql", "method": "POST", "status": "503"}
    return scrape(one.http).value("credit_gateway_http_requests_total", **labels)


def test_one_connection_is_refused_often_and_answered_once_there_is_room(full: World) -> None:
    with Conversation(full.url) as conversation:
        refused = []
        for _ in range(3):
            conversation.send(post(VIEWER))
            refused.append(conversation.answer())
        last = refused[-1]
        ends = time.monotonic() + 60
        while last.status == 503 and time.monotonic() < ends:
            time.sleep(0.1)
            conversation.send(post(VIEWER))
            last = conversation.answer()

    assert [one.status for one in refused] == [503] * 3
    assert {one.headers["retry-after"] for one in refused} == {"1"}
    assert {one.headers["cache-control"] for one in refused} == {"no-store"}
    assert all("date" in one.headers for one in refused)
    (error,) = json.loads(refused[0].body)["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert last.status == 200


def test_requests_that_come_together_are_each_refused(full: World) -> None:
    with Conversation(full.url) as conversation:
        conversation.send(post(VIEWER) * 3 + b"GET /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = [conversation.answer() for _ in range(4)]

    assert [one.status for one in answers] == [503] * 4


def test_a_body_that_comes_after_the_refusal_is_nobodys(full: World) -> None:
    head, body = post(VIEWER).split(b"\r\n\r\n")
    with Conversation(full.url) as conversation:
        conversation.send(head + b"\r\n\r\n" + body[:5])
        first = conversation.answer()
        conversation.send(body[5:] + post(VIEWER))
        second = conversation.answer()
        # By now nothing waits for a rest, and the same bytes begin a request.
        conversation.send(body[5:] + post(VIEWER))
        third = conversation.answer()

    assert [one.status for one in (first, second, third)] == [503, 503, 400]


@pytest.mark.parametrize(
    "request_",
    [
        b"HEAD /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /graphql HTTP/1.0\r\nHost: localhost\r\n\r\n",
        b"DELETE /graphql HTTP/1.1\r\nHost: localhost\r\n\r\n",
        post(VIEWER, b"Connection: close"),
        post(VIEWER, b"Expect: 100-continue"),
        b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["HEAD", "HTTP/1.0", "DELETE", "close", "Expect", "another path"],
)
def test_whatever_is_asked_is_refused(full: World, request_: bytes) -> None:
    with Conversation(full.url) as conversation:
        conversation.send(request_)
        answer = conversation.answer()

    assert answer.status == 503
    assert answer.headers["retry-after"] == "1"


def test_probes_are_answered_and_refusals_counted(full: World) -> None:
    before = refusals(full)
    with Conversation(full.url) as conversation:
        conversation.send(post(VIEWER))
        assert conversation.answer().status == 503
    probes = [full.http.get(path).status_code for path in ("/livez", "/readyz", "/metrics")]
    after = refusals(full)

    assert probes == [200] * 3
    assert after == before + 1


async def test_what_comes_in_one_turn_of_the_loop_is_counted_before_it_is_under_way() -> None:
    async def nothing(*_: object) -> None:
        return

    limits = Limits(nothing, max_in_flight=2, request_timeout=timedelta(seconds=1))
    overload = Overload(limits, lambda *_: None)
    refused = []
    for _ in range(3):
        refused.append(overload.takes(b"/graphql"))
        overload.let_in()
    probe = overload.takes(b"/livez")
    await asyncio.sleep(0)

    assert refused == [False, False, True]
    assert not probe
    assert not overload.takes(b"/graphql")


def test_a_page_of_another_origin_can_read_the_refusal(tmp_path: Path) -> None:
    more = """[server]
max_in_flight = 1
cors_origins = ["https://app.example.com"]
[cache]
responses = false"""
    with world(tmp_path, more=more, entries=20) as one, ThreadPoolExecutor(1) as threads:
        one.sandbox.set_fault("hostup", {"kind": "latency", "ms": 1500})
        slow = threads.submit(one.http.post, "/graphql", json={"query": SLOW})
        until(lambda: any(path.startswith("hostup") for path in one.sandbox.calls()))
        with Conversation(one.url) as conversation:
            conversation.send(post(VIEWER, b"Origin: https://app.example.com"))
            refused = conversation.answer()
        assert slow.result().status_code == 200

    assert refused.status == 503
    assert refused.headers["access-control-allow-origin"] == "https://app.example.com"
