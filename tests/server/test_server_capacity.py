"""Who has left costs nothing, and however many ask, a few are computed at once."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from plainly import living
from raw import POST, Conversation, post
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from world import serving, world

from app.server.leavers import Leavers
from app.server.turns import Turns

REQUEST = post(b"{}")
REQUESTS = 120
PAYMENTS = '{ customer(reference: "C-1001") { payments(first: 2) { nodes { id } } } }'


class Work:
    """Answers after some steps, each of which may compute or wait, and counts what goes on."""

    def __init__(self, *, computes: float = 0, waits: float = 0, steps: int = 5) -> None:
        self._computes = computes
        self._waits = waits
        self._steps = steps
        self.now = 0
        self.most = 0
        self.answered = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            for _ in range(self._steps):
                until = time.perf_counter() + self._computes
                while time.perf_counter() < until:
                    pass
                await asyncio.sleep(self._waits)
            self.answered += 1
            await Response()(scope, receive, send)
        finally:
            self.now -= 1


def ask_at_once(app: ASGIApp) -> float:
    """Send many requests at once; return the seconds until all were answered."""

    async def ask(url: str) -> float:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, limits=limits, trust_env=False) as http:
            began = time.monotonic()
            answers = await asyncio.gather(*(http.get("/", timeout=20) for _ in range(REQUESTS)))
            assert {answer.status_code for answer in answers} == {200}
            return time.monotonic() - began

    with serving(living(app)) as url:
        return asyncio.run(ask(url))


def test_of_many_requests_that_compute_a_few_are_under_way_at_once() -> None:
    # While the machine does something else, the processor seems idle.
    for _ in range(3):
        in_turn, all_at_once = Work(computes=0.0005), Work(computes=0.0005)
        ask_at_once(Turns(in_turn))
        ask_at_once(all_at_once)
        if in_turn.most <= REQUESTS / 3 and all_at_once.most > REQUESTS * 2 / 3:
            break

    assert in_turn.most <= REQUESTS / 3
    assert all_at_once.most > REQUESTS * 2 / 3


def test_of_many_requests_that_wait_all_are_under_way_at_once() -> None:
    work = Work(waits=0.8, steps=1)

    ask_at_once(Turns(work))

    assert work.most > REQUESTS * 0.8


@pytest.mark.alone
def test_requests_that_wait_for_long_do_not_keep_those_from_beginning_that_come() -> None:
    work = Work(waits=0.3, computes=0.002, steps=3)

    lasted = ask_at_once(Turns(work))

    assert work.answered == REQUESTS
    # In eights one after the other it were fourteen seconds.
    assert lasted < 9


def leave(url: str, work: Work) -> None:
    with Conversation(url) as conversation:
        conversation.send(REQUEST)
        until(lambda: work.now == 1)


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_work_for_a_client_that_left_ends_and_without_the_ring_it_goes_on() -> None:
    freed, kept = Work(waits=1.5, steps=1), Work(waits=1.5, steps=1)

    with serving(living(Leavers(freed))) as url:
        leave(url, freed)
        until(lambda: freed.now == 0)
    with serving(living(kept)) as url:
        leave(url, kept)
        until(lambda: kept.now == 0)

    assert (freed.answered, kept.answered) == (0, 1)


def test_a_client_that_leaves_while_it_waits_for_its_turn_lets_the_next_begin() -> None:
    work = Work(computes=0.02)

    with serving(living(Leavers(Turns(work)))) as url:
        several = [Conversation(url) for _ in range(30)]
        for one in several:
            one.send(REQUEST)
        for one in several[:-1]:
            one.__exit__(None, None, None)
        with several[-1] as last:
            answer = last.answer()
        until(lambda: work.now == 0)

    assert answer.status == 200
    assert work.answered < 30


@pytest.mark.parametrize("leaves", [True, False])
def test_a_client_that_left_gives_its_place_to_the_next_and_its_fetch_goes_on(
    tmp_path: Path, *, leaves: bool
) -> None:
    with world(tmp_path, more="[server]\nmax_in_flight = 1", entries=20) as one:
        one.sandbox.set_fault("hostup", {"kind": "latency", "ms": 2500})
        first = Conversation(one.url)
        first.send(post(json.dumps({"query": PAYMENTS}).encode()))
        until(lambda: any("hostup" in path for path in one.sandbox.calls()))
        if leaves:
            first.__exit__(None, None, None)
            time.sleep(0.2)
        with Conversation(one.url) as other:
            other.send(post(b'{"query": "{ viewer { subject } }"}'))
            status = other.answer().status
        if leaves:
            time.sleep(2.5)
        else:
            first.answer()
            first.__exit__(None, None, None)
        answer = one.ask(
            '{ customer(reference: "C-1001") { payments(first: 2) { nodes { id } } } }'
        )
        calls = one.sandbox.calls()

    assert status == (200 if leaves else 503)
    assert "errors" not in answer
    assert {count for path, count in calls.items() if path.startswith("hostup")} == {1}


def test_a_request_that_is_refused_is_told_before_its_body_has_come(tmp_path: Path) -> None:
    head = POST + b"\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    with (
        world(tmp_path, more="[server]\nmax_in_flight = 1", entries=5) as one,
        Conversation(one.url) as first,
        Conversation(one.url) as second,
    ):
        first.send(head)
        time.sleep(0.2)
        second.send(head)
        answer = second.answer()

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
