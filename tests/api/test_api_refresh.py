"""`refreshAccount` asks the provider now, for whoever may have it asked."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from holding import BALANCE_CALLS, LIST_CALLS, PROVIDERS, balances, calls, drifts, of, read_whole
from lists import until
from redis_server import needs_redis, redis_server
from viewing import Asked, asking
from world import World, gateway, world

from app import settings
from app.api import ids
from app.model.viewer import Scope, Viewer

PAYMENT_CALLS = {
    "cloud": "cloudreve /user/payments",
    "hosting": "hostup /billing/transactions",
}
REFRESH = """mutation($id: ID!, $mark: String) {
  refreshAccount(input: { accountId: $id, clientMutationId: $mark }) {
    account { id status balance { reported { amount } state } creditChanges(first: 1) {
      nodes { amount { amount } } } }
    sources { state readAt complete account { id } error { code message retryAt } }
    clientMutationId } }"""
NEWEST = """query($id: ID!) { node(id: $id) { ... on Account { creditChanges(first: 1) {
  nodes { amount { amount } } sources { state readAt } } } } }"""
ACCOUNTS = "query($r: String!) { customer(reference: $r) { accounts { id provider { name } } } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("refresh"), entries=30) as one:
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


def account_of(one: World, name: str, reference: str = "C-1001") -> str:
    accounts = one.data(ACCOUNTS, {"r": reference})["customer"]["accounts"]
    found: str = next(each["id"] for each in accounts if each["provider"]["name"] == name)
    return found


def refresh(one: World, account_id: str, mark: str | None = None) -> dict[str, Any]:
    return one.ask(REFRESH, {"id": account_id, "mark": mark})


def newest(one: World, account_id: str) -> str:
    (row,) = one.data(NEWEST, {"id": account_id})["node"]["creditChanges"]["nodes"]
    amount: str = row["amount"]["amount"]
    return amount


@pytest.mark.parametrize("name", PROVIDERS)
def test_everything_of_an_account_is_asked_for_now_and_nothing_of_others(
    cold: World, name: str
) -> None:
    balances(cold)
    account_id = account_of(cold, name)
    cold.sandbox.reset_calls()

    answers = [refresh(cold, account_id) for _ in range(2)]

    for answer in answers:
        assert "errors" not in answer
        payload = answer["data"]["refreshAccount"]
        assert payload["account"]["id"] == account_id
        assert [source["account"]["id"] for source in payload["sources"]] == [account_id] * (
            1 if name == "loyalty" else 2
        )
        assert {source["state"] for source in payload["sources"]} == {"FRESH"}
        assert {source["error"] for source in payload["sources"]} == {None}
        assert payload["clientMutationId"] is None
    assert calls(cold, LIST_CALLS) == {name: 2}
    assert calls(cold, BALANCE_CALLS) == {name: 2}
    assert calls(cold, PAYMENT_CALLS) == ({} if name == "loyalty" else {name: 2})


def test_what_is_new_is_in_the_payload_and_in_every_later_answer(cold: World) -> None:
    read_whole(cold)
    balances(cold)
    account_id = account_of(cold, "hosting")
    row = cold.sandbox.add_entry(
        "hostup", "credit_changes", "C-1001", entry={"in": "77.01", "out": "0.00"}
    )

    before = newest(cold, account_id)
    payload = refresh(cold, account_id, mark="m-1")["data"]["refreshAccount"]
    after = newest(cold, account_id)
    found = of(balances(cold), "hosting")
    cold.sandbox.delete_entry("hostup", "credit_changes", "C-1001", entry_id=row["id"])

    assert before != "77.01"
    assert payload["account"]["creditChanges"]["nodes"][0]["amount"]["amount"] == "77.01"
    assert payload["clientMutationId"] == "m-1"
    assert after == "77.01"
    assert found[0]["reported"]["amount"] == payload["account"]["balance"]["reported"]["amount"]
    assert drifts(found) == [0]


def test_each_of_several_mutations_of_a_request_answers_what_is_then(cold: World) -> None:
    account_id = account_of(cold, "hosting")
    query = """mutation($id: ID!) {
      a: refreshAccount(input: { accountId: $id }) { account { balance { readAt } } }
      b: refreshAccount(input: { accountId: $id }) { account { balance { readAt } } } }"""

    data = cold.data(query, {"id": account_id})

    times = [data[alias]["account"]["balance"]["readAt"] for alias in ("a", "b")]
    assert times[0] < times[1]


def test_what_cannot_be_refreshed_is_stale_with_its_error_and_no_error_of_the_answer(
    cold: World,
) -> None:
    account_id = account_of(cold, "hosting")
    refresh(cold, account_id)
    cold.sandbox.set_fault("hostup", {"kind": "status", "status": 503})

    answer = refresh(cold, account_id)

    payload = answer["data"]["refreshAccount"]
    assert "errors" not in answer
    assert [(one["state"], one["error"]["code"]) for one in payload["sources"]] == [
        ("STALE", "UPSTREAM_UNAVAILABLE")
    ] * 2
    assert payload["account"]["creditChanges"]["nodes"]


def test_what_was_never_read_is_unavailable_and_an_error_of_the_answer(cold: World) -> None:
    account_id = account_of(cold, "hosting")
    cold.sandbox.set_fault("hostup", {"kind": "status", "status": 503})

    answer = refresh(cold, account_id)

    states = [one["state"] for one in answer["data"]["refreshAccount"]["sources"]]
    paths = [error["path"] for error in answer["errors"]]
    assert states == ["UNAVAILABLE"] * 2
    assert paths.count(["refreshAccount"]) == 2
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"UPSTREAM_UNAVAILABLE"}


def test_one_history_that_fails_leaves_the_other_one_fresh(cold: World) -> None:
    account_id = account_of(cold, "hosting")
    cold.sandbox.set_fault("hostup", {"kind": "html", "path": "/billing/transactions"})

    answer = refresh(cold, account_id)

    states = [one["state"] for one in answer["data"]["refreshAccount"]["sources"]]
    assert states == ["FRESH", "UNAVAILABLE"]
    assert [error["path"] for error in answer["errors"]] == [["refreshAccount"]]


def test_credentials_that_are_refused_meanwhile_show_in_the_payload(cold: World) -> None:
    account_id = account_of(cold, "hosting", "C-1003")
    good = refresh(cold, account_id)["data"]["refreshAccount"]["account"]["status"]
    cold.sandbox.set_fault("hostup", {"kind": "status", "status": 401})

    refused = refresh(cold, account_id)["data"]["refreshAccount"]["account"]["status"]
    cold.sandbox.clear_fault("hostup")
    cold.clock.ahead += timedelta(seconds=10)
    healed = refresh(cold, account_id)["data"]["refreshAccount"]["account"]["status"]

    assert (good, refused, healed) == ("ACTIVE", "NEEDS_RELINK", "ACTIVE")


def test_an_answer_to_a_mutation_is_not_kept(cold: World) -> None:
    body = {"query": REFRESH, "variables": {"id": account_of(cold, "cloud")}}

    mutation = cold.http.post("/graphql", json=body)
    query = cold.http.post("/graphql", json={"query": NEWEST, "variables": body["variables"]})

    assert mutation.headers["cache-control"] == "no-store"
    assert query.headers["cache-control"].startswith("private, max-age=")


def test_nothing_is_refreshed_by_get(cold: World) -> None:
    account_id = account_of(cold, "cloud")
    cold.sandbox.reset_calls()
    variables = {"id": account_id}

    by_get = cold.http.get(
        "/graphql", params={"query": REFRESH, "variables": json.dumps(variables)}
    )
    asked = cold.sandbox.calls()
    by_post = cold.http.post("/graphql", json={"query": REFRESH, "variables": variables})

    assert by_get.status_code == 405
    assert "data" not in by_get.json()
    assert asked == {}
    assert "errors" not in by_post.json()


ANY = {Scope.READ_ANY}
OWN = {Scope.READ}
ALLOWED = [
    (ANY | {Scope.WRITE_ANY}, None),
    (OWN | {Scope.WRITE}, "C-1001"),
    (OWN | {Scope.WRITE_ANY}, "C-1001"),
    (ANY | {Scope.WRITE}, "C-1001"),
]
FORBIDDEN = [
    (ANY, None),
    (OWN, "C-1001"),
    (ANY | {Scope.WRITE}, "C-1002"),
    (ANY | {Scope.WRITE}, None),
]
INVISIBLE = [
    (set(), "C-1001"),
    ({Scope.WRITE}, "C-1002"),
    (OWN | {Scope.WRITE}, "C-1002"),
]


@pytest.mark.parametrize(
    ("scopes", "reference", "code"),
    [
        *((*one, None) for one in ALLOWED),
        *((*one, "FORBIDDEN") for one in FORBIDDEN),
        *((*one, "NOT_FOUND") for one in INVISIBLE),
    ],
)
async def test_an_account_is_refreshed_only_for_who_may_see_and_change_it(
    served: World, scopes: set[Scope], reference: str | None, code: str | None
) -> None:
    viewer = Viewer("someone", frozenset(scopes), reference)
    async with asking(served) as asked:
        account_id = await own_id(asked)
        served.sandbox.reset_calls()
        answer = await asked.ask(REFRESH, viewer, id=account_id)
        made = served.sandbox.calls()

    if code is None:
        assert "errors" not in answer
        assert made
    else:
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == code
        assert error["path"] == ["refreshAccount"]
        assert answer["data"] is None
        assert made == {}


async def own_id(asked: Asked) -> str:
    accounts = (await asked.ask(ACCOUNTS, r="C-1001"))["data"]["customer"]["accounts"]
    found: str = accounts[0]["id"]
    return found


async def test_what_is_no_account_is_not_found_in_the_same_words(served: World) -> None:
    stranger = Viewer("someone", frozenset({Scope.READ, Scope.WRITE}), "C-1002")
    query = '{ customer(reference: "C-1001") { id creditChanges(first: 1) { nodes { id } } } }'
    absent = ids.written(ids.NodeId(ids.NodeKind.ACCOUNT, "0" * 16))
    async with asking(served) as asked:
        customer = (await asked.ask(query))["data"]["customer"]
        entry = customer["creditChanges"]["nodes"][0]["id"]
        answers = [
            await asked.ask(REFRESH, stranger, id=given)
            for given in (await own_id(asked), customer["id"], entry, absent, "", "nothing", "é")
        ]

    told = {
        (error["message"], error["extensions"]["code"])
        for answer in answers
        for error in answer["errors"]
    }
    assert told == {("There is no such account.", "NOT_FOUND")}


@needs_redis
def test_a_refresh_in_one_process_is_seen_by_another_one_at_once(served: World) -> None:
    with redis_server() as redis, ExitStack() as stack:
        shared = settings.load(served.folder / "gateway.toml", {"GATEWAY_CACHE__URL": redis.url})
        one, other = (
            stack.enter_context(gateway(shared, served.sandbox, served.folder)) for _ in range(2)
        )
        account_id = account_of(one, "hosting")
        before = [newest(each, account_id) for each in (one, other)]
        held = [of(balances(each), "hosting")[0]["reported"]["amount"] for each in (one, other)]
        row = served.sandbox.add_entry(
            "hostup", "credit_changes", "C-1001", entry={"in": "55.05", "out": "0.00"}
        )
        served.sandbox.reset_calls()

        unseen = newest(other, account_id)
        payload = refresh(one, account_id)["data"]["refreshAccount"]
        until(lambda: newest(other, account_id) == "55.05", seconds=5)
        (seen,) = of(balances(other), "hosting")
        served.sandbox.delete_entry("hostup", "credit_changes", "C-1001", entry_id=row["id"])

        assert before[0] == before[1] == unseen != "55.05"
        assert held[0] == held[1] != seen["reported"]["amount"]
        assert seen["reported"]["amount"] == payload["account"]["balance"]["reported"]["amount"]
        assert calls(one, LIST_CALLS)["hosting"] == 1
        assert calls(one, BALANCE_CALLS) == {"hosting": 1}
