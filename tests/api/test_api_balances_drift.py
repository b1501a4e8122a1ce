"""A history that does not add up is found out, read anew once, and told for as long as it stays."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from adding_up import (
    MORE,
    PAGES,
    add_deep,
    adding_up,
    change_deep,
    hosting_drift,
    is_off,
    rows,
    set_off,
    truth,
)
from holding import (
    BALANCE_CALLS,
    LIST_CALLS,
    PROVIDERS,
    QUERY,
    balances,
    calls,
    drifts,
    of,
    quiet,
    read_whole,
)
from lists import until
from redis_server import needs_redis, redis_server
from world import World, gateway

from app import settings


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with adding_up(tmp_path) as one:
        yield one


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
    # A drift is seen once the balance that was read is there, by whoever asks for it then.
    until(lambda: set(drifts(balances(served))) == {0} and rows(served, name) == right)
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


def test_a_balance_that_never_adds_up_has_the_history_read_anew_once_for_a_drift(
    served: World,
) -> None:
    (before,) = of(balances(served), "hosting")
    held = Decimal(before["reported"]["amount"])
    pages = []
    whole = 1 + PAGES
    turns = [("5.00", 61, whole), ("5.00", 61, 1), ("8.00", 61, 1), ("8.00", 600, whole)]
    for off, seconds, read in [*turns, ("8.00", 61, 1)]:
        set_off(served, str(held + Decimal(off)))
        served.sandbox.reset_calls()
        served.clock.ahead += timedelta(seconds=seconds)
        balances(served)
        until(lambda: calls(served, BALANCE_CALLS).get("hosting"))
        until(partial(is_off, served, Decimal(off)))
        until(partial(has_read, served, read))
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
        until(partial(has_asked_for, served, 1 + PAGES))
        until(partial(is_off, served, Decimal(0)))
        time.sleep(0.3)
        pages.append(calls(served, LIST_CALLS)["hosting"])

    assert pages == [1 + PAGES] * 2


def has_asked_for(one: World, pages: int) -> bool:
    balances(one)
    return has_read(one, pages)


def has_read(one: World, pages: int) -> bool:
    return calls(one, LIST_CALLS).get("hosting", 0) >= pages


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
    until(partial(has_read, served, 1 + PAGES))
    time.sleep(0.5)
    balances(served)
    time.sleep(0.3)

    found = {drifts(of(one["data"]["customer"]["balances"], "hosting"))[0] for one in answers}
    assert found == {Decimal(5)}
    assert calls(served, BALANCE_CALLS)["hosting"] == 1
    assert calls(served, LIST_CALLS)["hosting"] == 1 + PAGES


@needs_redis
def test_two_processes_that_see_one_drift_read_the_history_anew_once(served: World) -> None:
    (before,) = of(balances(served), "hosting")
    with redis_server() as redis, ExitStack() as stack:
        shared = settings.load(
            served.folder / "gateway.toml", {**MORE, "GATEWAY_CACHE__URL": redis.url}
        )
        both = [
            stack.enter_context(gateway(shared, served.sandbox, served.folder)) for _ in range(2)
        ]
        for one in both:
            read_whole(one)
            balances(one)
        set_off(served, str(Decimal(before["reported"]["amount"]) + 5))
        served.sandbox.reset_calls()
        for one in both:
            one.clock.ahead += timedelta(seconds=61)

        def ask_often(one: World) -> list[Decimal | None]:
            told = []
            for _ in range(8):
                told.append(hosting_drift(one))
                # Not faster: a Redis that a busy process waits for too long counts as away.
                time.sleep(0.05)
            return told

        with ThreadPoolExecutor(2) as threads:
            told = list(threads.map(ask_often, both))
        for one in both:
            until(partial(is_off, one, Decimal(5)))
        until(partial(has_read, served, 1 + PAGES))
        time.sleep(0.5)
        for one in both:
            balances(one)
        time.sleep(0.3)

        assert {drift for each in told for drift in each} <= {Decimal(0), Decimal(5)}
        assert calls(served, BALANCE_CALLS)["hosting"] == 1
        assert calls(served, LIST_CALLS)["hosting"] == 1 + PAGES
