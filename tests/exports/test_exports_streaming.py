"""An answer in slices ends as it should or is cut off, and lets others be served meanwhile."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice, repeat
from typing import Any, Self

import httpx
import pytest
from issuing import until
from plainly import answering, given
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from world import serving

from app.api.streams.streams import Pace, Streams
from app.auth.anonymous import ANONYMOUS
from app.auth.callers import Anyone
from app.exports.streaming import Room, Streamed
from app.model.clock import utc_now
from app.server.compression import Compression
from app.server.limits import Limits

SLICE = b"x" * 80_000
# More than the system takes for a connection on the loopback, some 4 MB.
MANY = 300
# How a client is told that this was not all.
LOST = (httpx.RemoteProtocolError, httpx.ReadError)
Parts = Callable[[], Iterator[bytes]]


def many() -> Iterator[bytes]:
    return repeat(SLICE, MANY)


def broken() -> Iterator[bytes]:
    yield from repeat(SLICE, 5)
    raise ValueError("a mistake of ours")


@dataclass
class Exporting:
    """One export for all who ask, and something else beside it."""

    parts: Parts
    pace: Pace = field(default_factory=Pace)
    patience: timedelta = timedelta(seconds=10)
    media_type: str = "text/csv"
    most: int = 2
    room: Room | None = None

    def app(self) -> ASGIApp:
        """Return it within the rings that it has in the gateway, with a second for a request."""
        inner = answering({"/export": self._export, "/other": given(b"here", {})})
        one = timedelta(seconds=1)
        return Limits(Compression(inner), max_in_flight=1, request_timeout=one)

    async def _export(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.room is None:
            ask, most = Anyone().known, self.most
            streams = Streams(ask, utc_now, self.pace, most=most, most_of_one=most)
            self.room = Room(streams, self.patience)
        headers = {"Content-Type": self.media_type}
        await Streamed(self.parts(), headers, self.room, ANONYMOUS)(scope, receive, send)

    @property
    def open(self) -> int:
        return self.room.streams.open if self.room else 0


def taken(url: str, *, seconds: float = 0, coding: str = "identity") -> int:
    """Take an export, spread over so long; return its bytes. It raises where it is cut off."""
    size, end = 0, time.monotonic() + seconds
    headers = {"Accept-Encoding": coding}
    with (
        httpx.Client(trust_env=False, timeout=20, headers=headers) as http,
        begun(http, url) as rest,
    ):
        for part in rest:
            size += len(part)
            left = end - time.monotonic()
            if left > 0:
                time.sleep(min(left, 0.02))
    return size


@contextmanager
def begun(http: httpx.Client, url: str) -> Iterator[Iterator[bytes]]:
    """Ask for an export and give the rest of it, of which nothing is taken yet."""
    with http.stream("GET", f"{url}/export") as answer:
        assert answer.status_code == httpx.codes.OK
        yield answer.iter_bytes()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    plain = {"Accept-Encoding": "identity"}
    with httpx.Client(trust_env=False, timeout=20, headers=plain) as one:
        yield one


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd", "br"])
def test_what_breaks_in_the_middle_is_never_taken_for_the_whole(
    coding: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(Exporting(broken).app()) as url, pytest.raises(LOST):
        taken(url, coding=coding)

    assert [one for one in caplog.records if "ASGI" in one.getMessage()] == []


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd", "br"])
def test_what_does_not_break_is_whole(coding: str) -> None:
    with serving(Exporting(many).app()) as url:
        assert taken(url, coding=coding) == MANY * len(SLICE)


def test_an_export_lasts_as_long_as_its_client_goes_on_taking_it() -> None:
    with serving(Exporting(many).app()) as url:
        assert taken(url, seconds=5) == MANY * len(SLICE)


def test_an_answer_of_another_type_has_the_time_of_a_request() -> None:
    other = Exporting(many, media_type="application/octet-stream")

    with serving(other.app()) as url, pytest.raises(LOST):
        taken(url, seconds=5)


def test_an_export_that_lasts_takes_no_place_of_a_request(http: httpx.Client) -> None:
    with serving(Exporting(many).app()) as url, begun(http, url) as rest:
        next(rest)

        assert http.get(f"{url}/other").text == "here"


def test_there_is_room_for_so_many_and_again_when_one_has_ended(http: httpx.Client) -> None:
    exporting = Exporting(many, most=2)
    with serving(exporting.app()) as url:
        with begun(http, url) as one, begun(http, url) as two:
            next(one), next(two)
            full = http.get(f"{url}/export")
        until(lambda: exporting.open == 0)
        size = taken(url)

    assert (full.status_code, full.headers["retry-after"]) == (503, "5")
    assert full.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert size == MANY * len(SLICE)


def test_who_takes_nothing_is_cut_off_and_leaves_room(http: httpx.Client) -> None:
    exporting = Exporting(many, pace=Pace(to_take=timedelta(seconds=0.5)))
    with serving(exporting.app()) as url, begun(http, url) as rest:
        next(rest)
        until(lambda: exporting.open == 0)

        with pytest.raises(LOST):
            list(rest)


def test_for_who_leaves_nothing_more_is_written(http: httpx.Client) -> None:
    written = 0

    def counted() -> Iterator[bytes]:
        nonlocal written
        for written in range(100 * MANY):  # noqa: B007 - it is read when the client has left
            yield SLICE

    exporting = Exporting(counted)
    with serving(exporting.app()) as url:
        with begun(http, url) as rest:
            next(rest)
        until(lambda: exporting.open == 0)

    assert 0 < written < MANY


def test_a_stop_waits_for_who_takes_an_export(caplog: pytest.LogCaptureFixture) -> None:
    with ThreadPoolExecutor(1) as beside, serving(Exporting(many).app()) as url:
        taking = beside.submit(taken, url, seconds=4)
        time.sleep(1)

    assert taking.result() == MANY * len(SLICE)
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


def test_a_stop_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    exporting = Exporting(many, patience=timedelta(seconds=1))
    with ThreadPoolExecutor(1) as beside:
        with serving(exporting.app()) as url:
            taking = beside.submit(taken, url, seconds=30)
            time.sleep(1)
            began = time.monotonic()
        seconds = time.monotonic() - began

    assert isinstance(taking.exception(), LOST)
    assert seconds < 20
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


class Turns:
    """Counts how often something else has a turn of the event loop."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._take())
        await asyncio.sleep(0)
        self.count = 0
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _take(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


async def test_others_have_a_turn_between_any_two_slices_of_all_exports() -> None:
    exporting, sent = Exporting(lambda: islice(many(), 50), most=4), 0

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        nonlocal sent
        sent += len(message.get("body", b""))

    scope: dict[str, Any] = {"type": "http", "path": "/export", "method": "GET", "headers": []}
    async with Turns() as turns:
        await asyncio.gather(*(exporting._export(scope, receive, send) for _ in range(4)))
        spread = turns.count
    async with Turns() as turns:
        for _ in range(4):
            b"".join(islice(many(), 50))
        at_once = turns.count

    assert sent == 4 * 50 * len(SLICE)
    assert spread >= 4 * 50
    assert at_once == 0
