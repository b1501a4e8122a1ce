"""What is partial, wrong, stale or not settled is made anew each time, and so is what passes."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from asking_again import C_1001, CHANGES, account_of, ask, is_hit, kept
from holding import PROVIDERS, QUERY, read_whole
from world import World, gateway, world

BALANCES = QUERY
REFRESH = """mutation($id: ID!) { refreshAccount(input: { accountId: $id }) {
  account { creditChanges(first: 1) { nodes { id } sources { state } } } } }"""
PASSING = {
    "state": "query($r: String!) { providers { state } customer(reference: $r) { %s } }",
    "state of an account": "query($r: String!) { customer(reference: $r) { "
    "accounts { provider { health: state } } %s } }",
    "since": "query($r: String!) { customer(reference: $r) { ...Changes } } "
    "fragment Changes on Customer { %s accounts { ...Linked } } "
    "fragment Linked on Account { provider { since } }",
    "a search": "query($r: String!) { customers(first: 3) { totalCount } "
    "customer(reference: $r) { %s } }",
    "a total by provider": "query($r: String!) { customer(reference: $r) { %s creditSummary { "
    "units { byProvider { provider { state } } } } } }",
}
HOSTING_ROW = """query($r: String!) { customer(reference: $r) {
  creditChanges(first: 1, filter: { providers: ["hosting"] }) { nodes { id } } } }"""
LOG = "/billing/credit-log"
LIST = "creditChanges(first: 2) { nodes { id } sources { state } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("never-kept"), entries=30) as one:
        yield one


@pytest.fixture
def one(served: World) -> Iterator[World]:
    with ExitStack() as stack:
        for provider in PROVIDERS.values():
            stack.callback(served.sandbox.clear_fault, provider)
        yield stack.enter_context(gateway(served.settings, served.sandbox, served.folder))


def again(one: World, query: str = CHANGES, times: int = 3) -> list[httpx.Response]:
    """Ask some times, and see that none of the answers was given before."""
    answers = [ask(one, query) for _ in range(times)]
    assert [is_hit(each) for each in answers] == [False] * times
    return answers


def test_a_partial_answer_is_made_anew_until_it_is_whole(one: World) -> None:
    one.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
    partial = again(one)
    one.sandbox.clear_fault("hostup")
    one.clock.ahead += timedelta(minutes=2)

    assert all(json.loads(each.content)["errors"] for each in partial)
    assert {each.headers["cache-control"] for each in partial} == {"no-store"}
    assert "errors" not in kept(one).json()


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nothing }",
        "query($r: String!) { customer(reference: $r) { payments(first: -1) { totalCount } } }",
        "query($r: String!) { customer(reference: $r) { creditChanges(after: 7) { totalCount } } }",
        "query($r: String!, $s: Int!) { customer(reference: $r) { id } }",
        "subscription($r: String!) { creditChangeAdded(reference: $r) { id } }",
    ],
)
def test_an_error_is_never_given_again(one: World, query: str) -> None:
    answers = again(one, query)

    assert all(each.json()["errors"] for each in answers)
    assert {each.headers["cache-control"] for each in answers} == {"no-store"}


@pytest.mark.parametrize("what", PASSING)
def test_what_passes_is_asked_each_time(one: World, what: str) -> None:
    query = PASSING[what] % LIST
    answers = again(one, query)

    assert all("errors" not in each.json() for each in answers)
    assert is_hit(kept(one, f"query($r: String!) {{ customer(reference: $r) {{ {LIST} }} }}"))


def test_a_mutation_is_executed_each_time_and_is_no_answer_to_a_query(one: World) -> None:
    variables = {"id": account_of(one, "hosting")}
    ask(one, REFRESH, variables)
    one.sandbox.reset_calls()
    answers = [ask(one, REFRESH, variables) for _ in range(3)]

    assert {is_hit(each) for each in answers} == {False}
    assert {each.headers["cache-control"] for each in answers} == {"no-store"}
    assert one.sandbox.calls()["hostup /billing/credit-log"] == 3


def test_the_query_beside_a_mutation_in_its_document_is_executed_each_time(one: World) -> None:
    document = f"{CHANGES} {REFRESH.replace('mutation(', 'mutation Refresh(')}"
    body = {"query": document, "variables": C_1001, "operationName": "Changes"}
    answers = [one.http.post("/graphql", json=body) for _ in range(3)]

    assert {is_hit(each) for each in answers} == {False}
    assert all("errors" not in each.json() for each in answers)


def test_what_is_stale_is_not_given_again(one: World) -> None:
    ask(one)
    one.sandbox.set_fault("hostup", {"kind": "status", "status": 503})
    one.clock.ahead += timedelta(seconds=61)
    ask(one)
    one.clock.ahead += timedelta(seconds=1)
    answers = again(one)
    states = [
        {source["state"] for source in each.json()["data"]["customer"]["creditChanges"]["sources"]}
        for each in answers
    ]

    assert all("STALE" in each for each in states)
    assert {each.headers["cache-control"] for each in answers} == {"private, max-age=0"}


@pytest.mark.parametrize("query", [CHANGES, BALANCES], ids=["rows", "balances"])
def test_what_is_stale_to_who_wanted_it_anew_is_not_given_to_others(
    tmp_path: Path, query: str
) -> None:
    with world(tmp_path, more='[server]\nrequest_timeout = "2s"', entries=15) as one:
        kept(one, query)
        one.clock.ahead += timedelta(seconds=10)
        one.sandbox.set_fault("hostup", {"kind": "latency", "ms": 3000})
        anew = ask(one, query, cache_control="no-cache")
        others = [ask(one, query) for _ in range(3)]

    assert '"STALE"' in anew.text
    assert anew.headers["cache-control"] == "private, max-age=0"
    assert not any('"STALE"' in each.text for each in others)


def test_an_entry_of_a_stale_history_is_not_given_again_beside_what_is_fresh(one: World) -> None:
    rows = ask(one, HOSTING_ROW).json()["data"]["customer"]["creditChanges"]["nodes"]
    query = """query($id: ID!) { node(id: $id) { id }
      customer(reference: "C-1002") { payments(first: 1) { nodes { id } sources { state } } } }"""
    variables = {"id": rows[0]["id"]}
    again = kept(one, query, variables)
    one.sandbox.set_fault("hostup", {"kind": "status", "status": 503, "path": LOG})
    one.clock.ahead += timedelta(seconds=61)
    stale = [ask(one, query, variables) for _ in range(2)]
    for _ in range(2):
        one.clock.ahead += timedelta(seconds=1)
        stale.append(ask(one, query, variables))

    assert is_hit(again)
    assert not any(is_hit(each) for each in stale)
    assert stale[-1].headers["cache-control"] == "private, max-age=0"


def test_a_balance_beside_a_history_that_cannot_be_read_is_not_given_again(tmp_path: Path) -> None:
    with world(tmp_path, entries=30) as one:
        read_whole(one)
        settled = kept(one, BALANCES)
        one.sandbox.set_fault(
            "hostup", {"kind": "status", "status": 503, "path": "/billing/credit-log"}
        )
        one.clock.ahead += timedelta(hours=25)
        lost = [ask(one, BALANCES) for _ in range(3)]

    assert is_hit(settled)
    assert {is_hit(each) for each in lost} == {False}
    assert {each.headers["cache-control"] for each in lost} <= {"private, max-age=0", "no-store"}
