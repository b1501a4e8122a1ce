"""A history that does not add up is found out, read anew once, and told for as long as it stays."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from holding import (
    BALANCE_CALLS,
    LIST_CALLS,
    PROVIDERS,
    QUERY,
    answer,
    balances,
    calls,
    drifts,
    of,
    quiet,
    read_whole,
)
from lists import merged, until
from world import World, gateway, world

from app import settings

PAGES = 3
DEEP = 40
MORE = {"GATEWAY_PROVIDERS__CLOUD__PAGE_SIZE": "25", "GATEWAY_PROVIDERS__LOYALTY__PAGE_SIZE": "25"}
CORRECTED: Mapping[str, Mapping[str, Any]] = {
    "cloud": {"diff": 7},
    "hosting": {"in": "0.07", "out": "0.00"},
    "loyalty": {"amount": 0.07},
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    """Serve a gateway that knows whole histories of three pages each, which add up."""
    with world(tmp_path, entries=60) as one:
        configured = settings.load(one.folder / "gateway.toml", MORE)
        with gateway(configured, one.sandbox, one.folder) as cold:
            read_whole(cold)
            assert set(drifts(balances(cold))) == {Decimal(0)}
            cold.sandbox.reset_calls()
            yield cold


def rows(one: World, name: str) -> list[dict[str, Any]]:
    """Return the rows of one provider, as a gateway tells that knows nothing yet."""
    found = merged(one, "creditChanges", "C-1001")
    return [row for row in found if row["account"]["provider"]["name"] == name]


def truth(one: World, name: str) -> list[dict[str, Any]]:
    with gateway(one.settings, one.sandbox, one.folder) as cold:
        return rows(cold, name)


def change_deep(one: World, name: str, how: str) -> None:
    """Change the past, far from the newest end."""
    where = (PROVIDERS[name], "credit_changes", "C-1001")
    if how == "corrected":
        one.sandbox.change_entry(*where, entry=CORRECTED[name], index=DEEP)
    elif how == "deleted":
        one.sandbox.delete_entry(*where, index=DEEP)
    else:
        add_deep(one, name, {})


def add_deep(one: World, name: str, entry: Mapping[str, Any]) -> None:
    at = datetime.fromisoformat(rows(one, name)[DEEP]["occurredAt"])
    one.sandbox.add_entry(
        PROVIDERS[name], "credit_changes", "C-1001", entry=entry, at=at, position=DEEP
    )


@pytest.mark.parametrize("how", ["corrected", "deleted", "inserted"])
@pytest.mark.parametrize("name", PROVIDERS)
def test_a_changed_past_has_the_history_read_anew_once_and_then_it_adds_up(
    served: World, name: str, how: str
) -> None:
    change_deep(served, name, how)
    right = truth(served, name)
    wrong = rows(served, name)
    served.sandbox.reset_calls()
    served.clock.ahead += timedelta(seconds=61)

    balances(served)
    until(lambda: calls(served, BALANCE_CALLS).get(name) == 1)
    until(lambda: calls(served, LIST_CALLS).get(name, 0) and set(drifts(balances(served))) == {0})
    until(lambda: rows(served, name) == right)
    pages = calls(served, LIST_CALLS)
    later = quiet(served, lambda: balances(served))

    assert wrong != right
    assert pages == {**dict.fromkeys(PROVIDERS, 1), name: 1 + PAGES}
    assert later == {}


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_changed_past_goes_unnoticed_where_nobody_asks_for_balances(
    served: World, name: str
) -> None:
    change_deep(served, name, "corrected")
    served.clock.ahead += timedelta(seconds=61)

    read_whole(served)
    until(lambda: calls(served, LIST_CALLS) == dict.fromkeys(PROVIDERS, 1))

    assert rows(served, name) != truth(served, name)


def set_off(one: World, amount: str) -> None:
    """Have the hosting provider report a balance that is not the sum of its log."""
    one.sandbox.change_entry(
        "hostup", "credit_changes", "C-1001", entry={"balance": amount}, index=0
    )


def is_off(one: World, drift: Decimal) -> bool:
    return hosting_drift(one) == drift


def hosting_drift(one: World) -> Decimal | None:
    return drifts(of(balances(one), "hosting"))[0]


def test_a_balance_that_never_adds_up_has_the_history_read_anew_once_for_a_drift(
    served: World,
) -> None:
    (before,) = of(balances(served), "hosting")
    held = Decimal(before["reported"]["amount"])
    pages = []
    turns = [("5.00", 61), ("5.00", 61), ("8.00", 61), ("8.00", 600), ("8.00", 61)]
    for off, seconds in turns:
        set_off(served, str(held + Decimal(off)))
        served.sandbox.reset_calls()
        served.clock.ahead += timedelta(seconds=seconds)
        balances(served)
        until(lambda: calls(served, BALANCE_CALLS).get("hosting"))
        until(partial(is_off, served, Decimal(off)))
        until(lambda: calls(served, LIST_CALLS).get("hosting"))
        time.sleep(0.3)
        pages.append(calls(served, LIST_CALLS)["hosting"])
        assert quiet(served, lambda: balances(served)) == {}
        assert hosting_drift(served) == Decimal(off)

    assert pages == [1 + PAGES, 1, 1, 1 + PAGES, 1]


def test_a_drift_that_comes_back_has_the_history_read_anew_again(served: World) -> None:
    pages = []
    for _ in range(2):
        add_deep(served, "hosting", {"in": "3.00", "out": "0.00"})
        served.sandbox.reset_calls()
        served.clock.ahead += timedelta(seconds=61)
        balances(served)
        until(lambda: calls(served, BALANCE_CALLS).get("hosting"))
        until(lambda: hosting_drift(served) == 0)
        pages.append(calls(served, LIST_CALLS)["hosting"])

    assert pages == [1 + PAGES] * 2


def test_many_who_see_one_drift_have_the_history_read_anew_once(served: World) -> None:
    (before,) = of(balances(served), "hosting")
    set_off(served, str(Decimal(before["reported"]["amount"]) + 5))
    served.clock.ahead += timedelta(seconds=6)

    async def ask_all() -> list[Any]:
        headers = {"Cache-Control": "no-cache"}
        async with httpx.AsyncClient(base_url=served.url, trust_env=False, timeout=20) as http:
            body = {"query": QUERY, "variables": {"r": "C-1001"}}
            asked = (http.post("/graphql", json=body, headers=headers) for _ in range(20))
            return [response.json() for response in await asyncio.gather(*asked)]

    answers = asyncio.run(ask_all())
    time.sleep(0.5)
    balances(served)
    time.sleep(0.3)

    found = {drifts(of(one["data"]["customer"]["balances"], "hosting"))[0] for one in answers}
    assert found == {Decimal(5)}
    assert calls(served, BALANCE_CALLS)["hosting"] == 1
    assert calls(served, LIST_CALLS)["hosting"] == 1 + PAGES


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("seconds", [2, 40])
def test_an_entry_that_came_between_the_readings_is_no_drift(
    served: World, name: str, seconds: int
) -> None:
    with gateway(served.settings, served.sandbox, served.folder) as one:
        read_whole(one)
        one.sandbox.add_entry(PROVIDERS[name], "credit_changes", "C-1001")
        one.clock.ahead += timedelta(seconds=seconds)
        known = rows(one, name)
        one.sandbox.reset_calls()

        found = balances(one)

        assert len(known) == 60
        assert set(drifts(found)) == {Decimal(0)}
        assert calls(one, LIST_CALLS) == {name: 1}
        assert calls(one, BALANCE_CALLS)[name] == 1
        assert len(rows(one, name)) == 61


def read_newest_now(one: World) -> None:
    """Have the histories read now, and no balances."""
    query = '{ customer(reference: "C-1001") { creditChanges(first: 1) { nodes { id } } } }'
    headers = {"Cache-Control": "no-cache"}
    assert one.http.post("/graphql", json={"query": query}, headers=headers).is_success


def test_a_balance_older_than_the_history_is_read_again_before_a_drift_is_told(
    served: World,
) -> None:
    served.sandbox.add_entry("hostup", "credit_changes", "C-1001")
    served.clock.ahead += timedelta(seconds=10)
    read_newest_now(served)
    assert calls(served, BALANCE_CALLS) == {}

    assert set(drifts(balances(served))) == {Decimal(0)}
    assert calls(served, BALANCE_CALLS) == {"hosting": 1}
    assert calls(served, LIST_CALLS) == dict.fromkeys(PROVIDERS, 1)


def test_a_drift_whose_provider_fails_is_told_and_has_nothing_read_anew(served: World) -> None:
    with gateway(served.settings, served.sandbox, served.folder) as one:
        read_whole(one)
        one.sandbox.add_entry("hostup", "credit_changes", "C-1001", entry={"in": "5.00"})
        one.sandbox.set_fault(
            "hostup", {"kind": "status", "status": 503, "path": "/billing/credit-log"}
        )
        one.clock.ahead += timedelta(seconds=40)
        one.sandbox.reset_calls()

        response = answer(one)
        (hosting,) = of(response.json()["data"]["customer"]["balances"], "hosting")
        asked = calls(one, LIST_CALLS)
        again = quiet(one, lambda: balances(one), times=2)
        one.sandbox.clear_fault("hostup")
        one.clock.ahead += timedelta(seconds=10)

        assert (hosting["drift"]["amount"], hosting["state"]) == ("5.00", "FRESH")
        assert response.headers["cache-control"] == "private, max-age=0"
        assert set(asked) == {"hosting"}
        assert "hostup /billing/credit-log" not in again
        until(lambda: hosting_drift(one) == 0)


def test_a_drift_from_a_balance_that_cannot_be_read_again_has_nothing_read_anew(
    served: World,
) -> None:
    served.sandbox.add_entry("hostup", "credit_changes", "C-1001", entry={"in": "5.00"})
    served.sandbox.set_fault(
        "hostup", {"kind": "status", "status": 503, "path": "/billing/account-summary"}
    )
    served.clock.ahead += timedelta(seconds=10)
    read_newest_now(served)

    (hosting,) = of(balances(served), "hosting")
    time.sleep(0.3)

    assert (hosting["drift"]["amount"], hosting["state"]) == ("-5.00", "FRESH")
    assert calls(served, BALANCE_CALLS)["hosting"] > 0
    assert calls(served, LIST_CALLS) == dict.fromkeys(PROVIDERS, 1)


def test_a_drift_that_is_known_is_told_without_asking_anybody(served: World) -> None:
    (before,) = of(balances(served), "hosting")
    set_off(served, str(Decimal(before["reported"]["amount"]) + 5))
    served.clock.ahead += timedelta(seconds=61)
    balances(served)
    until(partial(is_off, served, Decimal(5)))
    until(lambda: calls(served, LIST_CALLS)["hosting"] == 1 + PAGES)
    time.sleep(0.3)
    served.clock.ahead += timedelta(seconds=10)
    read_newest_now(served)
    served.sandbox.reset_calls()

    response = answer(served)

    assert drifts(of(response.json()["data"]["customer"]["balances"], "hosting")) == [5]
    assert served.sandbox.calls() == {}
    assert int(response.headers["cache-control"].rpartition("=")[2]) >= 40
