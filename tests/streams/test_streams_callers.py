"""Who may listen, and that listening ends when the caller's token does."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import COMMAND
from gateways import gateways
from issuing import AUDIENCE, ISSUER, by_library, guarded
from streaming import begun, ending, hear, say, served, socket, subscribe, until
from websockets.asyncio.client import ClientConnection
from world import World

from app.auth.callers import Anyone
from app.auth.claims import Expected
from app.auth.keys import OneKey, development_key
from app.auth.tokens import Tokens
from app.model.clock import utc_now
from app.model.errors import Unauthenticated, UpstreamUnavailable
from app.model.viewer import Known, Scope, Viewer

pytest_plugins = ("auth_fixtures",)

SECRET = "0123456789abcdef-0123456789abcdef"
EVENTS = {"Accept": "text/event-stream"}
WHO = "{ viewer { subject } }"


class Keys:
    """Callers by what they send; which of them are known, a test says."""

    def __init__(self) -> None:
        self.known: dict[str, Viewer] = {}
        self.away = False

    async def __call__(self, authorization: Sequence[str]) -> Known:
        if self.away:
            raise UpstreamUnavailable("It cannot be told now.")
        sent = authorization[0].removeprefix("Bearer ") if authorization else ""
        if sent not in self.known:
            raise Unauthenticated("The API key is unknown or was revoked.", sent=True)
        return Known(self.known[sent])

    def issue(self, name: str, *scopes: Scope) -> dict[str, str]:
        self.known[name] = Viewer(name, frozenset(scopes))
        return {"Authorization": f"Bearer {name}"}


@pytest.fixture
def keys() -> Keys:
    return Keys()


@asynccontextmanager
async def stream(url: str, word: str, headers: dict[str, str]) -> AsyncIterator[Any]:
    """Listen to server-sent events."""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
        http.stream(
            "POST", f"{url}/graphql", json={"query": word}, headers={**EVENTS, **headers}
        ) as response,
    ):
        yield response


PAYLOADS: list[tuple[dict[str, Any] | None, str]] = [
    ({"Authorization": "Bearer a"}, ""),
    ({"authorization": "Bearer a"}, ""),
    ({"headers": {"Authorization": "Bearer a"}}, ""),
    ({"headers": {"authorization": "Bearer a"}, "x": 1}, ""),
    ({"Authorization": "Bearer a"}, "Bearer other"),
    ({"headers": "x"}, "Bearer a"),
    ({}, "Bearer a"),
    (None, "Bearer a"),
]


@pytest.mark.parametrize(("payload", "header"), PAYLOADS, ids=str)
async def test_a_caller_says_who_it_is_in_the_payload_or_in_the_handshake(
    keys: Keys, payload: dict[str, Any] | None, header: str
) -> None:
    keys.issue("a")
    headers = {"Authorization": header} if header else None
    with served(keys) as one:
        async with begun(one.url, payload, headers=headers) as client:
            await subscribe(client, "a", "one")

            assert (await hear(client))["type"] == "next"


@pytest.mark.parametrize(
    ("payload", "header"),
    [
        (None, ""),
        ({}, "Bearer other"),
        ({"Authorization": "Bearer other"}, "Bearer a"),
        ({"Authorization": None}, "Bearer a"),
        ({"Authorization": ["Bearer a"]}, ""),
        ({"headers": {"Authorization": 5}}, "Bearer a"),
    ],
    ids=str,
)
async def test_who_is_not_known_is_turned_away_with_a_reason(
    keys: Keys, payload: dict[str, Any] | None, header: str
) -> None:
    keys.issue("a")
    headers = {"Authorization": header} if header else None
    with served(keys) as one:
        async with socket(one.url, headers=headers) as client:
            await say(client, type="connection_init", payload=payload)

            assert await ending(client) == (4403, "The API key is unknown or was revoked.")


async def test_what_cannot_be_told_now_is_to_be_tried_again(keys: Keys) -> None:
    keys.away = True
    with served(keys) as one:
        async with socket(one.url) as client:
            await say(client, type="connection_init")

            assert (await ending(client))[0] == 1013


async def test_a_key_that_is_revoked_ends_its_streams_and_no_others(keys: Keys) -> None:
    revoked, kept = keys.issue("a"), keys.issue("b")
    with served(keys) as one:
        async with (
            begun(one.url, revoked) as client,
            begun(one.url, kept) as other,
            stream(one.url, "silent", revoked) as events,
            stream(one.url, "ticking", kept) as others,
        ):
            for each in (client, other):
                await subscribe(each, "a", "silent")
            await until(lambda: one.source.open == 4)
            del keys.known["a"]
            closed = await ending(client)
            told = (await events.aread()).decode()
            await until(lambda: one.source.open == 2)
            await subscribe(other, "b", "one")
            control = await hear(other)
            another = await anext(others.aiter_bytes())

    assert closed == (4403, "The API key is unknown or was revoked.")
    assert told.endswith("event: complete\ndata:\n\n")
    assert '"code":"UNAUTHENTICATED"' in told
    assert control["type"] == "next"
    assert b"event: next" in another


async def test_rights_that_change_end_a_stream(keys: Keys) -> None:
    payload = keys.issue("a", Scope.READ)
    with served(keys) as one:
        async with begun(one.url, payload) as client:
            keys.issue("a")

            assert (await ending(client))[0] == 4403


async def test_streams_outlast_a_moment_in_which_callers_cannot_be_looked_up_but_no_more(
    keys: Keys,
) -> None:
    payload = keys.issue("a")
    keys.away = False
    with served(keys) as one:
        async with begun(one.url, payload) as client:
            keys.away = True
            await asyncio.sleep(0.5)
            keys.away = False
            await asyncio.sleep(0.5)
            await subscribe(client, "a", "one")
            after = await hear(client)
            keys.away = True
            begin = time.monotonic()
            code, _ = await ending(client)
            lasted = time.monotonic() - begin

    assert after["type"] == "next"
    assert code == 1013
    assert lasted > 0.7


async def test_a_token_ends_its_streams_at_its_very_end() -> None:
    tokens = Tokens(
        OneKey(development_key(SECRET)), Expected(ISSUER, AUDIENCE, "customer"), utc_now
    )

    async def ask(authorization: Sequence[str]) -> Known:
        return await tokens.known(authorization[0].removeprefix("Bearer "))

    ends = int(time.time()) + 2
    short, long = (
        {"Authorization": f"Bearer {by_library(SECRET, exp=until_)}"}
        for until_ in (ends, ends + 60)
    )
    with served(ask) as one:
        async with (
            begun(one.url, short) as client,
            begun(one.url, long) as other,
            stream(one.url, "ticking", short) as events,
        ):
            await subscribe(client, "a", "ticking")
            (code, reason), closed_at = await _ended(client)
            told = (await events.aread()).decode()
            told_at = time.time()
            await subscribe(other, "a", "one")
            control = await hear(other)
        await until(lambda: (one.source.open, one.streams.open) == (0, 0))

    assert (code, reason) == (4403, "The token has expired.")
    for at in (closed_at, told_at):
        assert -0.1 < at - ends < 1
    assert told.endswith("event: complete\ndata:\n\n")
    assert "The token has expired." in told
    assert control["type"] == "next"


async def _ended(client: ClientConnection) -> tuple[tuple[int, str], float]:
    closed = await ending(client)
    return closed, time.time()


async def test_the_gateway_ends_what_is_open_when_the_token_ends(open_world: World) -> None:
    with guarded(open_world, development_key=SECRET) as one:
        ends = int(time.time()) + 2
        payload = {"Authorization": f"Bearer {by_library(SECRET, exp=ends)}"}
        async with begun(one.url, payload) as client:
            await say(client, id="a", type="subscribe", payload={"query": WHO})
            heard = await hear(client)
            closed, closed_at = await _ended(client)
        async with socket(one.url) as client:
            await say(client, type="connection_init", payload=payload)
            late = await ending(client)

    assert heard["payload"]["data"] == {"viewer": {"subject": "anna"}}
    assert closed == late == (4403, "The token has expired.")
    assert -0.1 < closed_at - ends < 1


async def test_the_gateway_ends_what_is_open_when_its_key_is_revoked(
    open_world: World,
) -> None:
    config = open_world.folder / "guarded.toml"
    usual = (open_world.folder / "gateway.toml").read_text()
    asking = f'auth.issuer = "{ISSUER}"\nauth.development_key = "{SECRET}"'
    config.write_text(usual.replace('auth.mode = "none"', asking))
    # As a process of its own, so that nothing but it has to keep the time.
    with gateways(config, 1) as (url,):
        revoked, kept = [await _key(config) for _ in range(2)]
        async with begun(url, revoked) as client, begun(url, kept) as other:
            await say(client, id="a", type="subscribe", payload={"query": WHO})
            subject = (await hear(client))["payload"]["data"]["viewer"]["subject"]
            await _command(config, "keys", "revoke", subject.removeprefix("key:"))
            begin = time.monotonic()
            closed = await ending(client)
            lasted = time.monotonic() - begin
            await say(other, id="a", type="subscribe", payload={"query": WHO})
            control = await hear(other)

    assert closed == (4403, "The API key is unknown or was revoked.")
    assert lasted < 15
    assert control["type"] == "next"


async def _key(config: Path) -> dict[str, str]:
    printed = await _command(config, "keys", "create", "--name", "n", "--scope", "credits:read")
    return {"Authorization": f"Bearer {printed.strip()}"}


async def _command(config: Path, *arguments: str) -> str:
    ended = await asyncio.to_thread(
        subprocess.run,
        [str(COMMAND), *arguments, "--config", str(config)],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    return ended.stdout


async def test_where_nobody_asks_everybody_is_known_for_ever() -> None:
    assert (await Anyone().known([])).ends is None


@pytest.mark.parametrize(("exp", "year"), [(4e9, 2096), (1e12, 9999), (1e300, 9999)])
async def test_the_end_of_a_token_is_told_however_far_it_is(exp: float, year: int) -> None:
    tokens = Tokens(
        OneKey(development_key(SECRET)), Expected(ISSUER, AUDIENCE, "customer"), utc_now
    )

    known = await tokens.known(by_library(SECRET, exp=exp))

    assert known.ends is not None
    assert known.ends.year == year
