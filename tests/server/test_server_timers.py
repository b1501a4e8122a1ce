"""What is answered without a wait is not timed; what waits is, for the whole of its time."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from in_process import opened
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from world import configuration, import_customers

from app import settings
from app.begun import Begun
from app.main import create_app
from app.sandbox import Sandbox, SandboxServer
from app.server.limits import Limits

PAGE = """query($reference: String!) { customer(reference: $reference) {
  creditChanges(first: 50) { nodes { id amount { amount } } sources { state } } } }"""
SCOPE = {"type": "http", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}


class Noting:
    """Notes of each request whether it was over after its first step."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.were_over: list[bool] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = Begun(self._app(scope, receive, send))
        if scope["type"] == "http":
            self.were_over.append(answering.is_done)
        await answering.rest()


@pytest.fixture
async def providers() -> AsyncIterator[SandboxServer]:
    with SandboxServer(Sandbox(entries=60)) as one:
        yield one


async def test_a_page_that_is_mirrored_waits_for_nothing(
    providers: SandboxServer, tmp_path: Path
) -> None:
    more = '[cache]\nfresh_for = "1h"\nresponses = false'
    configured = settings.load(configuration(tmp_path, providers.url, more), {})
    await import_customers(configured, providers.sandbox.sample_customers())
    noting = Noting(create_app(configured))

    async with opened(noting) as gateway:
        for _ in range(3):
            await gateway.ask(PAGE, reference="C-1001")

    assert noting.were_over == [False, True, True]  # the first has to read it from the providers


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_a_timer_is_set_once_an_answer_waits(steps: int) -> None:
    loop = asyncio.get_running_loop()
    timers: list[int] = []

    async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        for _ in range(steps):
            await asyncio.sleep(0)
        timers.append(set_in(loop))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    await asked(Limits(answer, max_in_flight=1, request_timeout=timedelta(seconds=1)))

    (within,) = timers
    assert within - set_in(loop) == (1 if steps else 0)


def set_in(loop: asyncio.AbstractEventLoop) -> int:
    """Return how many timers are set."""
    return len([one for one in loop._scheduled if not one.cancelled()])  # type: ignore[attr-defined]


async def test_what_is_computed_before_a_wait_is_of_an_answers_time() -> None:
    waited_since: list[float] = []

    async def answer(_scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        time.sleep(1.2)  # noqa: ASYNC251 - it computes, for longer than the second of grace
        waited_since.append(time.monotonic())
        await asyncio.sleep(30)

    start, *_ = await asked(Limits(answer, max_in_flight=1, request_timeout=timedelta(seconds=0)))

    assert start["status"] == 504
    assert time.monotonic() - waited_since[-1] < 0.8


async def asked(app: ASGIApp) -> list[Message]:
    """Ask once, by a body that has come already, and return what was sent."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    length = [(b"content-length", b"2")]
    await app({**SCOPE, "headers": length}, receive, send)
    return sent
