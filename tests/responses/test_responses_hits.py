"""An answer is given again for as long as every source in it is fresh, and asks nobody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from asking_again import CHANGES, ask, is_hit
from world import World, gateway, world

from app import settings


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("hits"), entries=30) as one:
        yield one


@pytest.fixture
def one(served: World) -> Iterator[World]:
    """Serve a gateway that has kept nothing."""
    with gateway(served.settings, served.sandbox, served.folder) as fresh:
        yield fresh


@pytest.fixture
def without(served: World) -> Iterator[World]:
    """Serve the same gateway, which never gives an answer again."""
    file = served.folder / "gateway.toml"
    configured = settings.load(file, {"GATEWAY_CACHE__RESPONSES": "false"})
    with gateway(configured, served.sandbox, served.folder) as fresh:
        yield fresh


def age(one: World) -> int:
    told = ask(one).headers["cache-control"]
    assert told.startswith("private, max-age=")
    return int(told.removeprefix("private, max-age="))


def test_what_was_asked_before_has_the_same_bytes_and_asks_nobody(one: World) -> None:
    first = ask(one)
    one.sandbox.reset_calls()
    again = [ask(one) for _ in range(3)]

    assert not is_hit(first)
    assert all(is_hit(each) and each.content == first.content for each in again)
    assert one.sandbox.calls() == {}


def test_without_the_cache_nothing_is_given_again(without: World) -> None:
    answers = [ask(without) for _ in range(4)]

    assert [is_hit(each) for each in answers] == [False] * 4
    assert all(each.headers["cache-control"].startswith("private, ") for each in answers)


def test_what_is_left_of_its_freshness_counts_down_to_its_end(one: World) -> None:
    ages = [age(one) for _ in range(2)]
    one.clock.ahead += timedelta(seconds=40)
    later = age(one)
    before = ask(one)
    one.clock.ahead += timedelta(seconds=20)
    after = ask(one)

    assert 50 <= ages[1] <= ages[0] <= 60
    assert ages[1] - later in range(38, 42)
    assert is_hit(before)
    assert not is_hit(after)


def test_a_source_that_is_fresh_for_a_shorter_time_ends_the_answer(served: World) -> None:
    short = {"GATEWAY_PROVIDERS__LOYALTY__FRESH_FOR": "10s"}
    configured = settings.load(served.folder / "gateway.toml", short)
    with gateway(configured, served.sandbox, served.folder) as one:
        ask(one)
        fresh = ask(one)
        one.clock.ahead += timedelta(seconds=11)
        older = ask(one)

    assert is_hit(fresh)
    assert not is_hit(older)


def test_variables_in_another_order_ask_the_same(one: World) -> None:
    first = ask(one, CHANGES, {"r": "C-1001", "n": 3})
    same = ask(one, CHANGES, {"n": 3, "r": "C-1001"})
    other = ask(one, CHANGES, {"n": 4, "r": "C-1001"})

    assert is_hit(same)
    assert same.content == first.content
    assert not is_hit(other)
    assert other.content != first.content


def test_what_is_no_variable_of_the_document_changes_no_answer(one: World) -> None:
    first = ask(one, CHANGES, {"r": "C-1001"})
    more = ask(one, CHANGES, {"r": "C-1001", "other": {"b": [1, None], "a": 1}})

    assert more.json() == first.json()


def test_an_operation_is_not_another_one_of_its_document(one: World) -> None:
    document = f"{CHANGES} query Payments($r: String!) {{ customer(reference: $r) {{ payments {{\n"
    document += " totalCount sources { state } } } }"

    def named(name: str | None) -> tuple[bool, list[str]]:
        body = {"query": document, "variables": {"r": "C-1001"}, "operationName": name}
        response = one.http.post("/graphql", json=body)
        answer = response.json()
        shown = sorted((answer.get("data") or {"customer": {}})["customer"])
        return response.headers["x-cache"] == "HIT", shown

    told = [named(name) for name in ("Changes", "Payments", "Changes", "Payments", None)]

    changes, payments = ["creditChanges", "displayName", "reference"], ["payments"]
    assert told == [
        (False, changes),
        (False, payments),
        (True, changes),
        (True, payments),
        (False, []),
    ]
