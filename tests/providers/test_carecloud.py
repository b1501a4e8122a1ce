"""What only CareCloud does: one login for all, a frozen window, floats, configured signs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from adapters import Hands, account, adapter
from recordings import recording, replaying
from upstreams import Reply, as_json, upstream

from app.model.entries import CreditChange, CreditChangeKind, Stream
from app.model.errors import (
    PlaceLost,
    UpstreamError,
    UpstreamInvalidResponse,
    UpstreamRateLimited,
    UpstreamUnauthorized,
    UpstreamUnavailable,
)
from app.model.money import Money, UnitKind
from app.providers.page import Page

CHANGES = Stream.CREDIT_CHANGES
LOGIN, HISTORY = "/users/actions/login", "/credit-history"


def problem(**data: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"error": {"type": "t", "title": "x", "detail": "secret detail", "error_data": data}}


async def read(settings: dict[str, Any] | None = None, **instead: Any) -> Page:  # noqa: ANN401
    async with (
        upstream(replaying("carecloud", **instead)) as server,
        adapter("carecloud", server.url, **(settings or {})) as provider,
    ):
        return await provider.page(account(), CHANGES, None)


async def record(settings: dict[str, Any] | None = None, **changed: Any) -> CreditChange:  # noqa: ANN401
    """Translate the first recorded entry with fields changed; None removes one."""
    answer = recording("carecloud", "credit-history")
    row = {**answer["data"]["credit_history"][0], **changed}
    answer["data"]["credit_history"] = [{k: v for k, v in row.items() if v is not None}]
    answer["data"]["total_items"] = 1
    (entry,) = (await read(settings, credit_history=answer)).entries
    assert isinstance(entry, CreditChange)
    return entry


def rows(count: int, total: int) -> Reply:
    answer = recording("carecloud", "credit-history")
    answer["data"]["credit_history"] = answer["data"]["credit_history"][:1] * count
    answer["data"]["total_items"] = total
    return as_json(answer)


async def test_the_login_and_the_list_are_asked_as_documented() -> None:
    async with (
        upstream(replaying("carecloud")) as server,
        adapter("carecloud", server.url, language="en", page_size=50) as provider,
    ):
        await provider.page(account(), CHANGES, None)

    login, history, currencies = server.asked
    assert (login.method, login.path) == ("POST", LOGIN)
    assert login.json == {
        "user_external_application_id": "app",
        "login": "gateway",
        "password": "password-of-the-project",
    }
    assert "authorization" not in login.headers
    assert history.query == {
        "customer_id": "838b73aacb5ac326cec4030c80",
        "count": "50",
        "offset": "0",
        "sort_field": "credit_history_record_time",
        "sort_direction": "DESC",
        "time_to": "2026-11-20 13:00:00",
    }
    token = recording("carecloud", "login")["data"]["bearer_token"]
    assert {one.headers["authorization"] for one in (history, currencies)} == {f"Bearer {token}"}
    assert {one.headers["accept-language"] for one in server.asked} == {"en"}


async def test_the_window_is_frozen_and_pages_overlap() -> None:
    clock = Hands()
    async with (
        upstream(replaying("carecloud", credit_history=rows(10, 25))) as server,
        adapter("carecloud", server.url, clock=clock, page_size=10) as provider,
    ):
        first = await provider.page(account(), CHANGES, None)
        clock.advance(timedelta(minutes=5))
        server.answer = replaying("carecloud", credit_history=rows(18, 25))
        second = await provider.page(account(), CHANGES, first.next)
        server.answer = replaying("carecloud", credit_history=rows(13, 25))
        third = await provider.page(account(), CHANGES, second.next)

    asked = [one.query for one in server.asked if one.path == HISTORY]
    assert {one["time_to"] for one in asked} == {"2026-11-20 13:00:00"}
    assert [(one["offset"], one["count"]) for one in asked] == [
        ("0", "10"),
        ("2", "18"),
        ("12", "18"),
    ]
    assert [page.overlap for page in (first, second, third)] == [0, 8, 8]
    assert {page.total for page in (first, second, third)} == {25}
    assert third.next is None


@pytest.mark.parametrize("reply", [rows(8, 25), rows(1, 25), rows(0, 25)])
async def test_a_list_that_ends_before_what_it_counts_is_a_lost_place(reply: Reply) -> None:
    async with (
        upstream(replaying("carecloud", credit_history=rows(10, 25))) as server,
        adapter("carecloud", server.url, page_size=10) as provider,
    ):
        first = await provider.page(account(), CHANGES, None)
        server.answer = replaying("carecloud", credit_history=reply)
        with pytest.raises(PlaceLost):
            await provider.page(account(), CHANGES, first.next)


async def test_fewer_rows_than_asked_for_are_no_end() -> None:
    page = await read({"page_size": 1000}, credit_history=rows(100, 250))

    assert page.next is not None


@pytest.mark.parametrize(
    ("now", "time_to"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25 02:30:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25 03:30:00"),
        (datetime(2026, 10, 25, 2, 30, tzinfo=UTC), "2026-10-25 03:30:00"),
    ],
)
async def test_the_window_ends_after_both_passes_of_the_repeated_hour(
    now: datetime, time_to: str
) -> None:
    async with (
        upstream(replaying("carecloud")) as server,
        adapter("carecloud", server.url, clock=Hands(now)) as provider,
    ):
        await provider.page(account(), CHANGES, None)

    (asked,) = [one.query for one in server.asked if one.path == HISTORY]
    assert asked["time_to"] == time_to


@pytest.mark.parametrize(
    ("status", "body", "error", "relink"),
    [
        (400, problem(invalid_params=[{"name": "x", "reason": "required"}]), None, None),
        (
            400,
            problem(
                invalid_params=[
                    {"name": ["a", "b"], "reason": "empty"},
                    {"name": "customer_id", "reason": "not_belong_to_logged_in_customer"},
                ]
            ),
            UpstreamUnauthorized,
            False,
        ),
        (400, [], None, None),
        (403, problem(), UpstreamUnauthorized, False),
        (404, problem(resource_name="customers"), UpstreamUnauthorized, True),
        (405, problem(), None, None),
        (429, None, UpstreamRateLimited, None),
        (500, problem(), UpstreamUnavailable, None),
        (503, None, UpstreamUnavailable, None),
    ],
)
async def test_every_status_has_its_error(
    status: int, body: object, error: type[UpstreamError] | None, *, relink: bool | None
) -> None:
    empty = Reply(b"", status, content_type=None)
    with pytest.raises(UpstreamError) as raised:
        await read(credit_history=empty if body is None else as_json(body, status))

    assert type(raised.value) is (error or UpstreamInvalidResponse)
    assert getattr(raised.value, "relink", None) is relink
    # To be asked less is a pause of our own, where CareCloud does not say how long.
    assert (raised.value.retry_at is None) is (error is not UpstreamRateLimited)
    assert "secret" not in f"{raised.value!r}"


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("0.1", "0.1"),
        ("1e2", "100"),
        ("-0.30", "-0.30"),
        ("99.900000000000006", "99.900000000000006"),
        ("1E-2", "0.01"),
        ("0", "0"),
        ("-0.0", "0.0"),
    ],
)
async def test_a_float_keeps_every_digit_that_is_written(written: str, amount: str) -> None:
    whole = as_json(recording("carecloud", "credit-history")).body
    body = whole.replace(b'"amount": 120.5', b'"amount": ' + written.encode())

    page = await read(credit_history=Reply(body))

    assert body != whole
    assert page.entries[0].amount.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "negative", "signed"),
    [(50, False, 50), (-50, False, -50), (50, True, -50), (-50, True, -50), (0, True, 0)],
)
async def test_the_sign_follows_the_configured_rule(
    amount: int, signed: int, *, negative: bool
) -> None:
    settings = {"negative_operations": ["Manually added credits"] if negative else ["Other"]}

    assert (await record(settings, amount=amount)).amount.amount == signed


async def test_the_kind_is_configured_by_the_name_of_the_operation() -> None:
    settings = {"operation_kinds": {"Manually added credits": "TOP_UP"}}

    assert (await record(settings)).kind is CreditChangeKind.TOP_UP
    assert (await record(settings, credit_operation_type="X")).kind is CreditChangeKind.OTHER


async def test_every_field_but_time_and_amount_may_be_missing() -> None:
    absent = ("credit_operation_type", "credit_operation_note", "partner_id", "store_id")
    entry = await record(None, **dict.fromkeys((*absent, "currency_id", "customer_id")))

    assert (entry.reason, entry.description) == ("", None)
    assert entry.amount == Money(Decimal("120.5"), "credits", UnitKind.POINTS)
    assert set(entry.details.values()) == {None}


async def test_a_settings_change_that_changes_readings_changes_the_translation() -> None:
    marks = set()
    for changed in (
        {},
        {"time_zone": "Europe/Berlin"},
        {"language": "cs"},
        {"negative_operations": ["x"]},
        {"operation_kinds": {"x": "EXPIRY"}},
    ):
        async with adapter("carecloud", "https://it.example", **changed) as provider:
            marks.add(provider.translation)

    assert len(marks) == 5
