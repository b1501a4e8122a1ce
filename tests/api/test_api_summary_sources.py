"""A credit summary asks providers for what it needs only, and says what it could not get."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from lists import Row, customer_list, until
from sums import FROM, PROVIDERS, QUERY, SUMMARY, provider_of, read_units, summary, units_of
from world import World, gateway, world


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("summary"), entries=60) as one:
        yield one


@pytest.fixture(scope="module")
def whole(served: World) -> list[Row]:
    """Return the rows of all pages, newest first."""
    return customer_list(served, "creditChanges").rows()


@pytest.fixture
def cold(served: World) -> Iterator[World]:
    """Serve a gateway that has read nothing; every provider is well again in the end."""
    with ExitStack() as stack:
        for provider in ("cloudreve", "hostup", "carecloud"):
            stack.callback(served.sandbox.clear_fault, provider)
        yield stack.enter_context(gateway(served.settings, served.sandbox, served.folder))
    served.sandbox.reset_calls()


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_dead_provider_is_named_and_the_others_are_summed(
    cold: World, whole: list[Row], name: str
) -> None:
    kind = {"cloud": "cloudreve", "hosting": "hostup", "loyalty": "carecloud"}[name]
    cold.sandbox.set_fault(kind, {"kind": "html"})

    answer = cold.ask(QUERY, {"reference": "C-1002"})

    found = answer["data"]["customer"]["creditSummary"]
    lost = [one for one in found["sources"] if one["state"] == "UNAVAILABLE"]
    assert {one["account"]["provider"]["name"] for one in lost} == {name}
    assert all(one["error"]["code"] == "UPSTREAM_INVALID_RESPONSE" for one in lost)
    assert len(answer["errors"]) == len(lost)
    for error in answer["errors"]:
        assert error["path"] == ["customer", "creditSummary"]
        assert error["extensions"]["provider"] == name
    assert read_units(found) == units_of([row for row in whole if provider_of(row) != name])


def test_a_source_that_fails_while_it_is_deepened_is_left_out_whole(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with world(tmp_path_factory.mktemp("half"), entries=60) as one:
        one.data('{ customer(reference: "C-1001") { creditChanges(first: 5) { nodes { id } } } }')
        one.sandbox.set_fault("hostup", {"kind": "html"})

        answer = one.ask(QUERY, {"reference": "C-1001"})

    found = answer["data"]["customer"]["creditSummary"]
    assert [(error["extensions"]["provider"]) for error in answer["errors"]] == ["hosting"]
    shown = {part["provider"]["name"] for unit in found["units"] for part in unit["byProvider"]}
    assert shown == {"cloud", "loyalty"}


def test_two_aliases_with_the_same_question_are_one_load(cold: World) -> None:
    cold.sandbox.reset_calls()
    summary(cold, filter={"providers": ["hosting"]})
    once = cold.sandbox.calls()
    with gateway(cold.settings, cold.sandbox, cold.folder) as other:
        other.sandbox.reset_calls()

        data = other.data(f"""{{ customer(reference: "C-1002") {{
          a: creditSummary(filter: {{ providers: ["hosting"] }}) {{ {SUMMARY} }}
          b: creditSummary(filter: {{ providers: ["hosting"] }}) {{ {SUMMARY} }}
          days: creditSummary(bucket: DAY, filter: {{ providers: ["hosting"] }}) {{ {SUMMARY} }}
        }} }}""")["customer"]

        assert data["a"] == data["b"]
        assert read_units(data["a"]) == read_units(data["days"])
        assert len(data["days"]["units"][0]["series"]) > len(data["a"]["units"][0]["series"])
        assert other.sandbox.calls() == once


def test_nobody_is_asked_when_all_is_known(cold: World) -> None:
    first = summary(cold)
    cold.sandbox.reset_calls()

    again = summary(cold)
    days = summary(cold, bucket="DAY", **{"from": FROM})

    assert again == first
    assert days["units"]
    assert cold.sandbox.calls() == {}


def test_histories_are_read_back_to_the_start_of_the_range_only(cold: World) -> None:
    cold.sandbox.reset_calls()
    newest = summary(cold, **{"from": "2026-10-25T00:00:00Z"}, filter={"providers": ["hosting"]})
    some = cold.sandbox.calls()["hostup /billing/credit-log"]
    summary(cold, filter={"providers": ["hosting"]})

    assert newest["units"]
    assert some < cold.sandbox.calls()["hostup /billing/credit-log"]


def test_what_is_stale_is_summed_and_is_no_error(cold: World) -> None:
    first = summary(cold)
    cold.sandbox.set_fault("hostup", {"kind": "html"})
    cold.clock.ahead += timedelta(seconds=61)

    def told() -> bool:
        return any(source["error"] for source in summary(cold)["sources"])

    until(told)
    stale = summary(cold)

    assert stale["units"] == first["units"]
    assert "STALE" in {source["state"] for source in stale["sources"]}
