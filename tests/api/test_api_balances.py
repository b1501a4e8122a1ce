"""What accounts hold: reported, computed, and how far to trust it."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from holding import (
    ACCOUNTS,
    BALANCE_CALLS,
    LIST_CALLS,
    PROVIDERS,
    QUERY,
    amounts,
    answer,
    balances,
    calls,
    drifts,
    of,
    quiet,
    read_whole,
    sums,
)
from lists import until
from world import World, gateway, world

from app.api import ids


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("balances")
    with world(folder, more="page_size = 20", entries=130) as one:
        yield one


@pytest.fixture
def cold(served: World) -> Iterator[World]:
    """Serve a gateway that has read nothing."""
    with ExitStack() as stack:
        for provider in PROVIDERS.values():
            stack.callback(served.sandbox.clear_fault, provider)
        one = stack.enter_context(gateway(served.settings, served.sandbox, served.folder))
        served.sandbox.reset_calls()
        yield one


@pytest.mark.parametrize("reference", ["C-1001", "C-1002"])
def test_what_is_reported_is_what_the_whole_histories_add_up_to(
    cold: World, reference: str
) -> None:
    # A unit that adds up to nothing and is not reported is left out.
    by_hand = {key: amount for key, amount in sums(cold, reference).items() if amount}
    found = balances(cold, reference)

    assert amounts(found, "reported") == by_hand
    assert amounts(found, "computed") == by_hand
    assert set(drifts(found)) == {Decimal(0)}
    assert {one["state"] for one in found} == {"FRESH"}
    assert all(one["error"] is None for one in found)
    for one in found:
        units = {(one[field]["unit"], one[field]["unitKind"]) for field in ("reported", "computed")}
        assert units == {(one["drift"]["unit"], one["drift"]["unitKind"])}


def test_balances_are_in_the_order_of_the_accounts_and_then_of_the_units(cold: World) -> None:
    accounts = cold.data(ACCOUNTS, {"r": "C-1002"})["customer"]["accounts"]
    found = balances(cold, "C-1002")

    names = [one["account"]["provider"]["name"] for one in found]
    assert names == ["cloud", "hosting", "hosting", "loyalty", "loyalty"]
    told = list(dict.fromkeys(one["account"]["id"] for one in found))
    assert told == [account["id"] for account in accounts]
    assert [one["reported"]["unit"] for one in found] == ["points", "SEK", "SEK", "CZK", "EUR"]
    assert found[0]["reported"]["unitKind"] == "POINTS"


def test_nothing_is_computed_until_a_history_is_known_to_its_beginning(cold: World) -> None:
    before = balances(cold)
    read_whole(cold)
    after = balances(cold)

    assert all(one["reported"] for one in before)
    assert {(one["computed"], one["drift"]) for one in before} == {(None, None)}
    assert set(drifts(after)) == {Decimal(0)}
    assert amounts(before, "reported") == amounts(after, "reported")


def test_asking_for_balances_reads_one_balance_and_one_page_of_each_account(cold: World) -> None:
    balances(cold)
    once = calls(cold, BALANCE_CALLS), calls(cold, LIST_CALLS)
    again = quiet(cold, lambda: balances(cold))
    cold.clock.ahead += timedelta(seconds=50)
    still = quiet(cold, lambda: balances(cold))
    cold.clock.ahead += timedelta(seconds=11)
    balances(cold)
    until(lambda: len(calls(cold, BALANCE_CALLS)) + len(calls(cold, LIST_CALLS)) == 6)

    ones = dict.fromkeys(PROVIDERS, 1)
    assert once == (ones, ones)
    assert again == still == {}
    assert (calls(cold, BALANCE_CALLS), calls(cold, LIST_CALLS)) == (ones, ones)


def test_equal_questions_of_one_request_and_of_many_are_one_call(cold: World) -> None:
    query = QUERY.replace(
        "balances", "a: balances { readAt } accounts { balance { readAt } } b: balances"
    )

    async def ask_all() -> list[Any]:
        async with httpx.AsyncClient(base_url=cold.url, trust_env=False, timeout=20) as http:
            body = {"query": query, "variables": {"r": "C-1001"}}
            asked = (http.post("/graphql", json=body) for _ in range(20))
            return [response.json() for response in await asyncio.gather(*asked)]

    answers = asyncio.run(ask_all())

    assert "errors" not in answers[0]
    assert all(one == answers[0] for one in answers)
    assert calls(cold, BALANCE_CALLS) == dict.fromkeys(PROVIDERS, 1)


def test_an_account_tells_its_balance_unless_it_holds_several_units(cold: World) -> None:
    read_whole(cold)
    accounts = cold.data(ACCOUNTS, {"r": "C-1001"})["customer"]["accounts"]
    found = balances(cold)

    told = {account["provider"]["name"]: account["balance"] for account in accounts}
    assert [told["cloud"]] == of(found, "cloud")
    assert [told["hosting"]] == of(found, "hosting")
    assert told["loyalty"] is None
    assert len(of(found, "loyalty")) == 2


def test_an_answer_stays_fresh_as_long_as_the_oldest_of_its_balances(cold: World) -> None:
    balances(cold)
    cold.clock.ahead += timedelta(seconds=20)

    kept = answer(cold).headers["cache-control"]

    directive, _, seconds = kept.rpartition("=")
    assert directive == "private, max-age"
    assert 35 <= int(seconds) <= 40


def test_a_caller_who_wants_nothing_old_is_told_what_the_provider_says_now(cold: World) -> None:
    read_whole(cold)
    before = of(balances(cold), "hosting")
    row = cold.sandbox.add_entry(
        "hostup", "credit_changes", "C-1001", entry={"in": "12.34", "out": "0.00"}
    )
    cold.clock.ahead += timedelta(seconds=6)

    usual = of(balances(cold), "hosting")
    fresh = answer(cold, cache_control="no-cache").json()["data"]["customer"]["balances"]
    cold.sandbox.delete_entry("hostup", "credit_changes", "C-1001", entry_id=row["id"])

    assert usual == before
    (now,) = of(fresh, "hosting")
    more = Decimal(now["reported"]["amount"]) - Decimal(before[0]["reported"]["amount"])
    assert more == Decimal("12.34")
    assert Decimal(now["drift"]["amount"]) == 0


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_dead_provider_is_named_and_the_others_are_told(cold: World, name: str) -> None:
    well = balances(cold)
    with gateway(cold.settings, cold.sandbox, cold.folder) as other:
        other.sandbox.set_fault(PROVIDERS[name], {"kind": "html"})
        response = answer(other)
        by_account = other.ask(ACCOUNTS, {"r": "C-1001"})

    body = response.json()
    found = body["data"]["customer"]["balances"]
    (lost,) = of(found, name)
    (error,) = body["errors"]
    assert error["path"] == ["customer", "balances"]
    assert error["extensions"]["code"] == lost["error"]["code"] == "UPSTREAM_INVALID_RESPONSE"
    assert error["extensions"]["provider"] == name
    assert "balance" in error["message"]
    assert (lost["state"], lost["reported"], lost["readAt"]) == ("UNAVAILABLE", None, None)
    others = [one for one in found if one is not lost]
    assert amounts(others, "reported") == {
        key: amount
        for key, amount in amounts(well, "reported").items()
        if key[0] != lost["account"]["id"]
    }
    assert response.headers["cache-control"] == "no-store"
    position = [
        account["provider"]["name"] for account in by_account["data"]["customer"]["accounts"]
    ].index(name)
    assert [error["path"] for error in by_account["errors"]] == [
        ["customer", "accounts", position, "balance"]
    ]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_history_is_told_where_its_balance_cannot_be_read(cold: World, name: str) -> None:
    read_whole(cold)
    path = BALANCE_CALLS[name].partition(" ")[2]
    cold.sandbox.set_fault(PROVIDERS[name], {"kind": "status", "status": 503, "path": path})

    lost = answer(cold).json()
    cold.sandbox.clear_fault(PROVIDERS[name])
    cold.clock.ahead += timedelta(seconds=31)
    healed = balances(cold)

    told = of(lost["data"]["customer"]["balances"], name)
    assert len(lost["errors"]) == 1
    assert {(one["state"], one["reported"], one["drift"]) for one in told} == {
        ("UNAVAILABLE", None, None)
    }
    assert amounts(told, "computed") == amounts(of(healed, name), "computed")
    assert {one["state"] for one in healed} == {"FRESH"}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_known_balance_is_told_as_stale_while_its_provider_fails(cold: World, name: str) -> None:
    read_whole(cold)
    before = balances(cold)
    cold.sandbox.set_fault(PROVIDERS[name], {"kind": "status", "status": 503})
    cold.clock.ahead += timedelta(seconds=61)

    until(lambda: of(balances(cold), name)[0]["error"])
    until(lambda: {one["state"] for one in balances(cold)} == {"FRESH", "STALE"})
    found = balances(cold)

    stale = of(found, name)
    assert {(one["state"], one["error"]["code"]) for one in stale} == {
        ("STALE", "UPSTREAM_UNAVAILABLE")
    }
    assert amounts(found, "reported") == amounts(before, "reported")
    assert {one["readAt"] for one in stale} == {one["readAt"] for one in of(before, name)}
    assert set(drifts(found)) == {Decimal(0)}


def test_a_balance_too_old_to_be_told_is_unavailable(cold: World) -> None:
    balances(cold)
    cold.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
    cold.clock.ahead += timedelta(hours=25)

    (lost,) = of(answer(cold).json()["data"]["customer"]["balances"], "hosting")

    assert (lost["state"], lost["reported"]) == ("UNAVAILABLE", None)


def test_a_unit_that_is_not_reported_is_told_unless_it_adds_up_to_nothing(tmp_path: Path) -> None:
    with world(tmp_path, entries=5) as one:
        for amount, currency in (("7.50", "2"), ("3.00", "1")):
            one.sandbox.add_entry(
                "hostup",
                "credit_changes",
                "C-1001",
                entry={"in": amount, "out": "0.00", "currency_id": currency},
                position=2,
            )
        one.sandbox.add_entry(
            "hostup",
            "credit_changes",
            "C-1001",
            entry={"in": "0.00", "out": "3.00", "currency_id": "1"},
            position=2,
        )
        found = of(balances(one), "hosting")

    others = [each for each in found if each["reported"] is None]
    assert [(each["computed"]["amount"], each["drift"]) for each in others] == [("7.50", None)]
    assert len(found) == 2


def test_times_are_when_the_provider_was_asked_and_ids_are_of_accounts(cold: World) -> None:
    before = cold.clock()
    found = balances(cold)
    after = cold.clock()

    for one in found:
        assert before <= datetime.fromisoformat(one["readAt"]) <= after
        named = ids.read(one["account"]["id"])
        assert named
        assert named.kind is ids.NodeKind.ACCOUNT
