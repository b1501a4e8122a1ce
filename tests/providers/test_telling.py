"""What a provider tells again is not read again, and anything else is."""

from datetime import timedelta
from typing import Any

import pytest
from adapters import Hands, account, adapter
from kinds import KNOWN, Recorded
from recordings import recording, replaying
from upstreams import upstream

from app.model.entries import Stream
from app.model.errors import UpstreamInvalidResponse

CHANGES = Stream.CREDIT_CHANGES
EVERY_PAGE = [
    (kind, one) for kind, known in KNOWN.items() for one in known.recorded if one.rows != "-"
]
each_page = pytest.mark.parametrize(
    ("kind", "one"), EVERY_PAGE, ids=[f"{kind}-{one.name}" for kind, one in EVERY_PAGE]
)


def rows_of(answer: Any, one: Recorded) -> list[Any]:  # noqa: ANN401 - a JSON value
    for step in one.rows.split("."):
        answer = answer[step]
    return answer  # type: ignore[no-any-return]


@each_page
async def test_a_page_that_is_told_again_is_the_one_there_was(kind: str, one: Recorded) -> None:
    async with upstream(replaying(kind)) as server, adapter(kind, server.url) as provider:
        first = await provider.page(account(), one.stream, None)
        again = await provider.page(account(), one.stream, None, first)
        for_nobody = await provider.page(account(), one.stream, None)

    assert first.entries
    assert again is first
    assert for_nobody is not first
    assert for_nobody == first


@each_page
async def test_rows_that_changed_are_read(kind: str, one: Recorded) -> None:
    changed = recording(kind, one.name)
    rows_of(changed, one).pop()
    async with upstream(replaying(kind)) as server, adapter(kind, server.url) as provider:
        first = await provider.page(account(), one.stream, None)
        server.answer = replaying(kind, **{one.name.replace("-", "_"): changed})

        page = await provider.page(account(), one.stream, None, first)

    assert page.entries == first.entries[:-1]


async def test_what_surrounds_the_rows_may_change() -> None:
    later = recording("hostup", "credit-log")
    later |= {"timestamp": "2026-02-11T00:00:00.000Z", "requestId": "another"}
    async with upstream(replaying("hostup")) as server, adapter("hostup", server.url) as provider:
        first = await provider.page(account(), CHANGES, None)
        server.answer = replaying("hostup", credit_log=later)

        again = await provider.page(account(), CHANGES, None, first)

    assert again is first


@pytest.mark.parametrize(
    ("kind", "currencies"), [("hostup", "currency"), ("carecloud", "currencies")]
)
async def test_rows_are_read_anew_by_other_currencies(kind: str, currencies: str) -> None:
    others = recording(kind, currencies)
    for one in others["data"]["currencies"]:
        one["iso" if kind == "hostup" else "code"] = "NOK"
    clock = Hands()
    async with (
        upstream(replaying(kind)) as server,
        adapter(kind, server.url, clock=clock) as provider,
    ):
        first = await provider.page(account(), CHANGES, None)
        server.answer = replaying(kind, **{currencies: others})
        clock.advance(timedelta(minutes=61))

        page = await provider.page(account(), CHANGES, None, first)

    units = {entry.amount.unit for entry in page.entries}
    assert "NOK" in units
    assert "NOK" not in {entry.amount.unit for entry in first.entries}


async def test_the_same_rows_without_success_are_refused() -> None:
    failed = recording("hostup", "credit-log") | {"success": False}
    async with upstream(replaying("hostup")) as server, adapter("hostup", server.url) as provider:
        first = await provider.page(account(), CHANGES, None)
        server.answer = replaying("hostup", credit_log=failed)

        with pytest.raises(UpstreamInvalidResponse):
            await provider.page(account(), CHANGES, None, first)
