"""Documents made to keep the gateway busy are refused at once, and nobody else waits for them."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import httpx
import pytest
from gateways import gateways
from starlette.types import Receive, Scope, Send
from world import serving, world

pytestmark = pytest.mark.alone

BOMBS = {
    "a fragment bomb": (
        "{...F0}"
        + "".join(f"fragment F{i} on Query{{...F{i + 1} ...F{i + 1}}}" for i in range(49))
        + "fragment F49 on Query{__typename}"
    ),
    "aliases": "{" + "".join(f"a{number}:__typename " for number in range(10_000)) + "}",
    "duplicate fields": "{" + "__typename " * 5_000 + "}",
    "directives": "{__typename " + "@skip(if:false) " * 5_000 + "}",
    # As many of them as there may be tokens: what only the guard or validation refuses.
    "aliases within the tokens": "{" + "".join(f"a{i}:__typename " for i in range(660)) + "}",
    "duplicate fields within the tokens": "{" + "__typename " * 1_990 + "}",
    "duplicate fields below another": "{__schema{types{" + "fields{name}" * 490 + "}}}",
    "directives within the tokens": "{__typename " + "@skip(if:false) " * 280 + "}",
}
MOST_SECONDS_REFUSED = 0.1
MOST_SECONDS_SERVED = 0.2
_TIMES = 12
# One is enough on a machine that does nothing else.
_MOST_TRIES = 8


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a gateway as a process of its own, which shares nothing with those who ask it."""
    with (
        world(tmp_path_factory.mktemp("bombs"), entries=5) as one,
        gateways(one.folder / "gateway.toml", 1) as (origin,),
    ):
        yield origin


def timed(work: Callable[[], httpx.Response]) -> tuple[float, dict[str, Any]]:
    begun = time.perf_counter()
    answer: dict[str, Any] = work().json()
    return time.perf_counter() - begun, answer


def under_fire(url: str, bomb: str) -> tuple[list[float], list[float], list[dict[str, Any]]]:
    """Send a bomb over and over, and ask for `__typename` meanwhile.

    Returns the seconds of the refusals, those of the others' answers, and the refusals.
    """
    over = Event()

    def ask(text: str) -> httpx.Response:
        return http.post("/graphql", json={"query": text})

    def others() -> list[float]:
        waits = []
        while not over.is_set():
            wait, answer = timed(lambda: ask("{__typename}"))
            assert answer["data"] == {"__typename": "Query"}, answer
            waits.append(wait)
        return waits

    with (
        httpx.Client(base_url=url, timeout=30, trust_env=False) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(others)
        try:
            fired = [timed(lambda: ask(bomb)) for _ in range(_TIMES)]
        finally:
            over.set()
        return [wait for wait, _ in fired], waiting.result(), [answer for _, answer in fired]


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_refused_at_once_while_others_are_served(url: str, bomb: str) -> None:
    # A machine that does something else for a moment is no fault of the gateway's.
    for _ in range(_MOST_TRIES):
        refusals, waits, answers = under_fire(url, bomb)
        if max(refusals) < MOST_SECONDS_REFUSED and max(waits) < MOST_SECONDS_SERVED:
            break

    assert all("data" not in answer and answer["errors"] for answer in answers)
    assert max(refusals) < MOST_SECONDS_REFUSED
    assert max(waits) < MOST_SECONDS_SERVED


async def busy(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as a gateway that has no guard: what is long keeps everybody waiting."""
    if scope["type"] == "lifespan":
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > 1000:
        time.sleep(0.3)  # noqa: ASYNC251 - it is what must be noticed
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"data":{"__typename":"Query"}}'})


def test_a_gateway_that_a_bomb_keeps_busy_is_noticed() -> None:
    with serving(busy) as url:
        refusals, waits, _ = under_fire(url, BOMBS["aliases"])

    assert min(refusals) > MOST_SECONDS_REFUSED
    assert max(waits) > MOST_SECONDS_SERVED
