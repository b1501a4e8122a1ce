"""Cloudreve's tokens: renewed once for all, stored before they are used."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from adapters import SECRETS, Hands, Store, account, adapter
from recordings import recording, replaying
from upstreams import Asked, Reply, as_json, upstream

from app.model.accounts import AccountStatus
from app.model.clock import utc_now
from app.model.entries import Stream
from app.model.errors import UpstreamInvalidResponse, UpstreamUnauthorized, UpstreamUnavailable
from app.sandbox import Sandbox, SandboxServer

REFRESH = "/session/token/refresh"
CHANGES = Stream.CREDIT_CHANGES
REFUSED = {"code": 40020, "msg": "Invalid credentials"}


class Site:
    """Renews by counting up, and accepts only the newest access token."""

    def __init__(self, store: Store | None = None) -> None:
        self.renewals = 0
        self.store = store
        self.pause = 0.0

    async def __call__(self, asked: Asked) -> Reply:
        if asked.path != REFRESH:
            if self.store is not None:
                self.store.events.append(f"used {asked.headers['authorization']}")
            accepted = asked.headers["authorization"] == f"Bearer access-{self.renewals}"
            answer = recording("cloudreve", "credit-changes") if accepted else {"code": 401}
            return as_json(answer)
        self.renewals += 1
        number = self.renewals
        await asyncio.sleep(self.pause)
        answer = recording("cloudreve", "refresh")
        answer["data"]["access_token"] = f"access-{number}"
        answer["data"]["refresh_token"] = f"refresh-{number}"
        return as_json(answer)


async def test_the_new_refresh_token_is_stored_before_the_access_token_is_used() -> None:
    store = Store(SECRETS["cloudreve"])
    async with (
        upstream(Site(store)) as server,
        adapter("cloudreve", server.url, store=store) as provider,
    ):
        await provider.page(account(), CHANGES, None)

    assert store.events == ["stored refresh-1", "used Bearer access-1"]
    assert server.asked[0].json == {"refresh_token": "refresh-token-of-anna"}


async def test_twenty_callers_at_once_renew_once() -> None:
    site = Site()
    site.pause = 0.05
    async with upstream(site) as server, adapter("cloudreve", server.url) as provider:
        reads = (provider.page(account(), CHANGES, None) for _ in range(20))
        pages = await asyncio.gather(*reads)

    assert site.renewals == 1
    assert len({page.next for page in pages}) == 1


async def test_accounts_have_tokens_of_their_own() -> None:
    site = Site()
    async with upstream(site) as server, adapter("cloudreve", server.url) as provider:
        await provider.page(account(1), CHANGES, None)
        await provider.page(account(2), CHANGES, None)

    assert site.renewals == 2


async def test_a_refused_access_token_is_renewed_once_and_the_call_is_repeated_once() -> None:
    site = Site()
    async with upstream(site) as server, adapter("cloudreve", server.url) as provider:
        await provider.page(account(), CHANGES, None)
        site.renewals += 1  # the site forgets the token
        page = await provider.page(account(), CHANGES, None)

    assert page.entries
    lists = "/user/creditChanges"
    assert server.paths() == [REFRESH, lists, lists, REFRESH, lists]


async def test_a_token_is_renewed_before_it_ends_on_its_way() -> None:
    site, clock = Site(), Hands()
    async with upstream(site) as server, adapter("cloudreve", server.url, clock=clock) as provider:
        await provider.page(account(), CHANGES, None)
        clock.advance(timedelta(minutes=59))
        await provider.page(account(), CHANGES, None)
        before = site.renewals
        clock.advance(timedelta(seconds=40))
        await provider.page(account(), CHANGES, None)

    assert (before, site.renewals) == (1, 2)


@pytest.mark.parametrize("code", [401, 40020, 40017])
async def test_a_refused_renewal_asks_for_linking_again(code: int) -> None:
    store = Store(SECRETS["cloudreve"])
    async with (
        upstream(replaying("cloudreve", refresh={"code": code})) as server,
        adapter("cloudreve", server.url, store=store) as provider,
    ):
        with pytest.raises(UpstreamUnauthorized) as raised:
            await provider.page(account(), CHANGES, None)

    assert raised.value.relink
    assert store.events == [f"marked {AccountStatus.NEEDS_RELINK}"]
    assert server.paths() == [REFRESH]


async def test_twenty_callers_with_a_refused_token_ask_once() -> None:
    async def refuse(_asked: Asked) -> Reply:
        await asyncio.sleep(0.05)
        return as_json(REFUSED)

    async with upstream(refuse) as server, adapter("cloudreve", server.url) as provider:
        reads = (provider.page(account(), CHANGES, None) for _ in range(20))
        found = await asyncio.gather(*reads, return_exceptions=True)

    assert {type(one) for one in found} == {UpstreamUnauthorized}
    assert server.paths() == [REFRESH]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(b"", 503), UpstreamUnavailable),
        (as_json({"code": 50001}), UpstreamUnavailable),
        (as_json({"code": 40001}), UpstreamInvalidResponse),
        (as_json({"code": 0}), UpstreamInvalidResponse),
    ],
)
async def test_a_failed_renewal_is_not_repeated_and_marks_nothing(
    reply: Reply, error: type[Exception]
) -> None:
    store = Store(SECRETS["cloudreve"])
    async with (
        upstream(replaying("cloudreve", refresh=reply)) as server,
        adapter("cloudreve", server.url, store=store) as provider,
    ):
        with pytest.raises(error):
            await provider.page(account(), CHANGES, None)

    assert store.events == []
    assert server.paths() == [REFRESH]


@pytest.mark.parametrize("token", ["a\r\nX-Other: b", "два", "with space", "", "a" * 20_000])
async def test_a_token_that_cannot_stand_in_a_header_is_refused(token: str) -> None:
    answer = recording("cloudreve", "refresh")
    answer["data"]["access_token"] = token
    async with (
        upstream(replaying("cloudreve", refresh=answer)) as server,
        adapter("cloudreve", server.url) as provider,
    ):
        with pytest.raises(UpstreamInvalidResponse):
            await provider.page(account(), CHANGES, None)


async def test_renewed_credentials_are_kept_when_their_caller_is_cancelled() -> None:
    site, store = Site(), Store(SECRETS["cloudreve"])
    site.pause = 0.1
    async with (
        upstream(site) as server,
        adapter("cloudreve", server.url, store=store) as provider,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(provider.page(account(), CHANGES, None), 0.05)
        await provider.page(account(), CHANGES, None)

    assert store.events == ["stored refresh-1"]
    assert site.renewals == 1


def credentials_of(sandbox: Sandbox) -> Mapping[str, str]:
    accounts = sandbox.sample_customers()[0]["accounts"]
    found: Mapping[str, str] = accounts[0]["credentials"]["cloudreve"]
    return found


@pytest.mark.parametrize("rotate", ["keep", "single_use"])
async def test_the_emulated_site_is_read_on_after_its_tokens_expired(rotate: str) -> None:
    sandbox = Sandbox(entries=12)
    sandbox.change_settings(rotate=rotate)
    store = Store(credentials_of(sandbox))
    with SandboxServer(sandbox) as server:
        url = server.url + sandbox.upstreams["cloudreve"].base_path
        async with adapter("cloudreve", url, store=store, clock=utc_now) as provider:
            before = await provider.page(account(), CHANGES, None)
            sandbox.expire_tokens("cloudreve", "access")
            after = await provider.page(account(), CHANGES, None)
            sandbox.expire_tokens("cloudreve")
            with pytest.raises(UpstreamUnauthorized):
                await provider.page(account(), CHANGES, None)

    assert before == after
    assert sandbox.calls()["cloudreve /session/token/refresh"] == 3
    assert store.events[-1] == f"marked {AccountStatus.NEEDS_RELINK}"
