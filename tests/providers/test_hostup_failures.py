"""HostUp's failures: two successes, statuses, and how long it asks to be left alone."""

from typing import Any

import pytest
from adapters import Store, account, adapter, is_the_wait
from recordings import recording, replaying
from upstreams import Reply, as_json, upstream

from app.model.entries import Stream
from app.model.errors import (
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.sandbox import Sandbox, SandboxServer

CHANGES = Stream.CREDIT_CHANGES
FAILURE = {"error": "Unauthorized", "message": "key sk-1 is bad", "code": "X", "requestId": "2"}


async def refusal(**instead: Any) -> UpstreamError:  # noqa: ANN401 - any JSON
    async with (
        upstream(replaying("hostup", **instead)) as server,
        adapter("hostup", server.url) as provider,
    ):
        with pytest.raises(UpstreamError) as raised:
            await provider.page(account(), CHANGES, None)
    return raised.value


@pytest.mark.parametrize("place", ["success", "data.success"])
async def test_both_successes_have_to_be_true(place: str) -> None:
    answer = recording("hostup", "credit-log")
    *outer, name = place.split(".")
    (answer[outer[0]] if outer else answer)[name] = False

    assert isinstance(await refusal(credit_log=answer), UpstreamInvalidResponse)


async def test_a_success_without_data_is_refused() -> None:
    nothing: tuple[object, ...] = (None, {}, [])
    for data in nothing:
        answer = recording("hostup", "credit-log") | {"data": data}

        assert isinstance(await refusal(credit_log=answer), UpstreamInvalidResponse)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, UpstreamInvalidResponse),
        (401, UpstreamUnauthorized),
        (403, UpstreamUnauthorized),
        (404, UpstreamInvalidResponse),
        (405, UpstreamInvalidResponse),
        (429, UpstreamRateLimited),
        (500, UpstreamUnavailable),
        (503, UpstreamUnavailable),
    ],
)
async def test_every_status_has_its_error(status: int, error: type[UpstreamError]) -> None:
    found = await refusal(credit_log=as_json(FAILURE, status))

    assert type(found) is error
    assert "sk-1" not in f"{found!r}{found}"
    if isinstance(found, UpstreamUnauthorized):
        assert found.relink


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry_After": "7"}, {}, 7),
        ({"Retry_After": "7"}, {"retryAfter": "90"}, 7),
        ({}, {"error": "Too many", "message": "m", "retryAfter": "90", "requestId": "r"}, 90),
        ({}, {"retryAfter": 90}, 90),
        ({}, {"retryAfter": "Fri, 20 Nov 2026 12:00:30 GMT"}, 30),
        ({}, {"retryAfter": "999999999999"}, 3600),
        ({}, {"retryAfter": "soon"}, None),
        ({}, {"retryAfter": None}, None),
        ({}, [], None),
        ({}, {}, None),
    ],
)
async def test_the_wait_is_read_from_the_header_or_else_the_body(
    headers: dict[str, str], body: object, wait: int | None
) -> None:
    found = await refusal(credit_log=as_json(body, 429, **headers))

    assert isinstance(found, UpstreamRateLimited)
    assert is_the_wait(found.retry_at, wait)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"", 429, content_type=None),
        Reply(b"<html>", 429, content_type="text/html"),
        Reply(b"\x1f\x8b no", 429, {"Content-Encoding": "gzip"}),
        Reply(b"[" * 100_000, 429),
        Reply(b" " * 20_000_000, 429),
    ],
    ids=["empty", "html", "broken gzip", "nested", "large"],
)
async def test_too_many_requests_is_told_whatever_the_body_is(reply: Reply) -> None:
    found = await refusal(credit_log=reply)

    assert isinstance(found, UpstreamRateLimited)
    assert is_the_wait(found.retry_at, None)


@pytest.mark.parametrize("fault", ["envelope_error", "inner_failure", "html", "truncate"])
async def test_a_fault_of_the_emulated_panel_is_refused_and_passes(fault: str) -> None:
    sandbox = Sandbox(entries=12)
    store = Store(sandbox.sample_customers()[0]["accounts"][1]["credentials"]["hostup"])
    with SandboxServer(sandbox) as server:
        url = server.url + sandbox.upstreams["hostup"].base_path
        async with adapter("hostup", url, store=store) as provider:
            sandbox.set_fault("hostup", {"kind": fault, "times": 1})
            with pytest.raises(UpstreamInvalidResponse):
                await provider.page(account(), CHANGES, None)
            page = await provider.page(account(), CHANGES, None)

    assert len(page.entries) == 12
