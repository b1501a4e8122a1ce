"""A drift is told of readings of one time, and nothing is read for one that is not."""

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from adding_up import PAGES, adding_up, hosting_drift, is_off, read_newest_now, rows, set_off
from holding import (
    BALANCE_CALLS,
    LIST_CALLS,
    PROVIDERS,
    answer,
    balances,
    calls,
    drifts,
    of,
    quiet,
    read_whole,
)
from lists import until
from world import World, gateway


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with adding_up(tmp_path) as one:
        yield one


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
    until(lambda: calls(served, BALANCE_CALLS).get("hosting"))
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
    until(lambda: calls(served, LIST_CALLS).get("hosting") == 1 + PAGES)
    time.sleep(0.3)
    served.clock.ahead += timedelta(seconds=10)
    read_newest_now(served)
    served.sandbox.reset_calls()

    response = answer(served)

    assert drifts(of(response.json()["data"]["customer"]["balances"], "hosting")) == [5]
    assert served.sandbox.calls() == {}
    assert int(response.headers["cache-control"].rpartition("=")[2]) >= 40
