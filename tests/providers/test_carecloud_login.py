"""CareCloud's login: one for all who need it, never repeated, renewed once when it ended."""

import asyncio
from datetime import timedelta

import pytest
from adapters import START, Hands, account, adapter
from recordings import recording, replaying
from upstreams import Asked, Reply, as_json, upstream

from app.model.entries import Stream
from app.model.errors import UpstreamInvalidResponse, UpstreamUnauthorized, UpstreamUnavailable

CHANGES = Stream.CREDIT_CHANGES
LOGIN, HISTORY = "/users/actions/login", "/credit-history"
PROBLEM = {"error": {"type": "t", "title": "x", "detail": "d", "error_data": {}}}


async def log_in(login: object) -> None:
    async with (
        upstream(replaying("carecloud", login=login)) as server,
        adapter("carecloud", server.url) as provider,
    ):
        await provider.page(account(), CHANGES, None)


async def test_twenty_callers_at_once_log_in_once() -> None:
    async with (
        upstream(replaying("carecloud")) as server,
        adapter("carecloud", server.url) as provider,
    ):
        numbers = range(1, 21)
        await asyncio.gather(*(provider.page(account(n), CHANGES, None) for n in numbers))

    assert server.paths().count(LOGIN) == 1


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_twenty_callers_with_a_wrong_password_ask_once(status: int) -> None:
    async def refuse(_asked: Asked) -> Reply:
        await asyncio.sleep(0.05)
        return as_json(PROBLEM, status)

    async with upstream(refuse) as server, adapter("carecloud", server.url) as provider:
        reads = (provider.page(account(), CHANGES, None) for _ in range(20))
        found = await asyncio.gather(*reads, return_exceptions=True)

    assert all(isinstance(one, UpstreamUnauthorized) and not one.relink for one in found)
    assert server.paths() == [LOGIN]


async def test_a_failed_login_is_not_repeated() -> None:
    async with (
        upstream(replaying("carecloud", login=Reply(b"", 503))) as server,
        adapter("carecloud", server.url) as provider,
    ):
        with pytest.raises(UpstreamUnavailable):
            await provider.page(account(), CHANGES, None)

    assert server.paths() == [LOGIN]


async def test_an_ended_login_is_renewed_once_and_then_refused() -> None:
    async with (
        upstream(replaying("carecloud", credit_history=as_json(PROBLEM, 401))) as server,
        adapter("carecloud", server.url) as provider,
    ):
        with pytest.raises(UpstreamUnauthorized) as raised:
            await provider.page(account(), CHANGES, None)

    assert not raised.value.relink
    # Beside the first of them the currencies are asked for.
    needed = [path for path in server.paths() if path in {LOGIN, HISTORY}]
    assert needed == [LOGIN, HISTORY, LOGIN, HISTORY]


@pytest.mark.parametrize(
    ("valid_to", "zone", "hours"),
    [
        ("2026-11-20 15:00:00", "Europe/Prague", 2),
        ("2026-11-20 15:00:00", "UTC", 3),
        ("2026-11-21 15:00:00", "Europe/Prague", 6),
    ],
)
async def test_a_login_is_used_until_its_local_end_or_six_hours(
    valid_to: str, zone: str, hours: int
) -> None:
    clock, login = Hands(), recording("carecloud", "login")
    login["data"]["valid_to"] = valid_to
    logins = []
    async with (
        upstream(replaying("carecloud", login=login)) as server,
        adapter("carecloud", server.url, clock=clock, time_zone=zone) as provider,
    ):
        for at in (timedelta(0), timedelta(hours=hours, seconds=-1), timedelta(hours=hours)):
            clock.now = START + at
            await provider.page(account(), CHANGES, None)
            logins.append(server.paths().count(LOGIN))

    assert logins == [1, 1, 2]


@pytest.mark.parametrize("end", ["2026-13-01 00:00:00", "0001-01-01 00:00:00", "tomorrow", ""])
async def test_a_login_that_ends_at_no_time_is_refused(end: str) -> None:
    login = recording("carecloud", "login")
    login["data"]["valid_to"] = end

    with pytest.raises(UpstreamInvalidResponse):
        await log_in(login)


@pytest.mark.parametrize("token", ["a\r\nX-Other: b", "два", ""])
async def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    login = recording("carecloud", "login")
    login["data"]["bearer_token"] = token

    with pytest.raises(UpstreamInvalidResponse):
        await log_in(login)
