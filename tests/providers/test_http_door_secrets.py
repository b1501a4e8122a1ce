"""What never passes the door: cookies, redirects, proxies, providers' words and our secrets."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
import structlog
from adapters import SECRETS, account, adapter
from kinds.carecloud import PASSWORD
from recordings import recording, recordings, replaying
from test_http_door import READ, WELL, always, ask, door
from upstreams import Asked, Reply, as_json, in_turn, upstream

from app.model.entries import Stream
from app.model.errors import GatewayError, UpstreamInvalidResponse

SAID = "internal words of the provider"


async def test_a_cookie_is_never_sent_again() -> None:
    given = Reply(WELL.body, headers={"Set-Cookie": "session=of-anna; Path=/"})
    async with upstream(always(given)) as server:
        by_name = server.url.replace("127.0.0.1", "localhost")  # addresses get no cookies at all
        async with adapter("hostup", by_name) as careful, httpx.AsyncClient() as careless:
            for _ in range(2):
                with pytest.raises(GatewayError):
                    await careful.page(account(), Stream.CREDIT_CHANGES, None)
            for _ in range(2):
                await careless.get(by_name)

    cookies = [asked.headers.get("cookie") for asked in server.asked]
    assert (set(cookies[:-1]), cookies[-1]) == ({None}, "session=of-anna")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    async with upstream(always(WELL)) as elsewhere:
        away = Reply(b"", status, {"Location": f"{elsewhere.url}/steal"})
        async with door(always(away)) as (one, server):
            with pytest.raises(UpstreamInvalidResponse):
                await ask(one)

    assert elsewhere.asked == []
    assert len(server.asked) == 1


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with upstream(always(WELL)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with door(always(WELL)) as (one, server), httpx.AsyncClient() as careless:
            await ask(one)
            before = len(proxy.asked)
            await careless.get(server.url)

    assert (before, len(proxy.asked)) == (0, 1)
    assert len(server.asked) == 1


async def test_what_is_sent_is_what_was_asked_for() -> None:
    async with door(in_turn(WELL)) as (one, server):
        await ask(one)

    (asked,) = server.asked
    assert (asked.method, asked.path, asked.query) == ("GET", "/it", {"page": "0"})
    assert asked.headers["x-api-key"] == READ.headers["X-API-Key"]
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["user-agent"] == "credit-gateway"


FAULTS: Mapping[str, Any] = {
    "an error": as_json({"error": SAID, "message": SAID, "code": SAID, "msg": SAID}, 400),
    "unauthorized": as_json({"error": SAID, "message": SAID}, 401),
    "forbidden": as_json({"error": {"title": SAID, "detail": SAID}}, 403),
    "too many": as_json({"error": SAID, "retryAfter": SAID}, 429),
    "unavailable": Reply(SAID.encode(), 503, {"Retry-After": "9"}, "text/plain"),
    "a code": as_json({"code": 40017, "msg": SAID, "error": SAID}),
    "a failure": as_json({"success": False, "message": SAID, "data": None}),
    "html": Reply(SAID.encode(), content_type="text/html"),
    "no json": Reply(SAID.encode()),
    "a wrong shape": as_json({"code": SAID, "success": SAID, "data": SAID}),
}


def secrets_of(kind: str) -> list[str]:
    found = [*SECRETS[kind].values(), PASSWORD]
    if kind == "cloudreve":
        tokens = recording("cloudreve", "refresh")["data"]
        found += [tokens["access_token"], tokens["refresh_token"]]
    if kind == "carecloud":
        found.append(recording("carecloud", "login")["data"]["bearer_token"])
    return found


def echoing(asked: Asked) -> Reply:
    """Say back everything that was sent, as careless servers do."""
    return as_json({"error": f"{asked.headers} {asked.body!r}", "msg": str(asked.query)}, 400)


@pytest.mark.parametrize("kind", list(SECRETS))
async def test_neither_secrets_nor_providers_words_are_in_errors_or_logs(kind: str) -> None:
    faults = [(path, fault) for path in recordings(kind) for fault in [*FAULTS.values(), None]]
    with structlog.testing.capture_logs() as logs:
        told = [await _told(kind, path, fault) for path, fault in faults]

    written = "\n".join([*told, *map(str, logs)])
    assert len([each for each in told if each]) > len(FAULTS)
    assert logs
    assert SAID not in written
    assert [secret for secret in secrets_of(kind) if secret in written] == []


async def _told(kind: str, path: str, fault: Reply | None) -> str:
    """Return all that an error shows when one path meets a fault; empty when it does not."""
    healthy = replaying(kind)

    def answer(asked: Asked) -> Reply:
        if asked.path != path:
            said = healthy(asked)
            assert isinstance(said, Reply)
            return said
        return echoing(asked) if fault is None else fault

    async with upstream(answer) as server, adapter(kind, server.url) as provider:
        try:
            await provider.page(account(), Stream.CREDIT_CHANGES, None)
            await provider.balance(account())
        except GatewayError as error:
            return f"{error} {error!r} {error.args} {vars(error)}"
    return ""


@pytest.mark.parametrize("kind", list(SECRETS))
async def test_the_secrets_looked_for_are_those_that_are_sent(kind: str) -> None:
    async with upstream(replaying(kind)) as server, adapter(kind, server.url) as provider:
        await provider.page(account(), Stream.CREDIT_CHANGES, None)

    sent = "".join(f"{asked.headers}{asked.body!r}{asked.query}" for asked in server.asked)
    assert len([secret for secret in secrets_of(kind) if secret in sent]) >= 1
