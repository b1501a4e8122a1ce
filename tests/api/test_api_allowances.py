"""What an answer says of its cost and of its caller's rate, and what is refused for either."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from world import World, world

RESPONSE = "application/graphql-response+json"
MANY = """query ($first: Int!) { customers(first: $first) { nodes {
  creditChanges(first: 100) { nodes { id } } } } }"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("allowances"), entries=30) as one:
        yield one


def post(served: World, query: str, **variables: object) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return served.http.post("/graphql", json=body, headers={"Accept": RESPONSE})


def cost(response: httpx.Response) -> dict[str, int]:
    told: dict[str, int] = response.json()["extensions"]["cost"]
    return told


def test_every_answer_tells_its_cost_which_only_what_is_asked_decides(served: World) -> None:
    cold = post(served, MANY, first=2)
    warm = post(served, MANY, first=2)
    more = post(served, MANY, first=4)
    failing = post(served, "{ customers(first: -1) { totalCount } }")

    assert cold.json()["data"]["customers"]["nodes"]
    assert cost(cold) == cost(warm)
    assert 0 < cost(failing)["requested"] < cost(cold)["requested"] < cost(more)["requested"]
    assert cost(cold)["limit"] == 2000


def test_what_costs_too_much_is_refused_with_the_numbers_and_nobody_is_asked(
    served: World,
) -> None:
    before = served.sandbox.calls()

    refused = post(served, MANY, first=100)

    (error,) = refused.json()["errors"]
    assert refused.status_code == 400
    assert error["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert cost(refused)["requested"] > cost(refused)["limit"] == 2000
    assert str(cost(refused)["requested"]) in error["message"]
    assert "2000" in error["message"]
    assert served.sandbox.calls() == before
    assert "data" not in refused.json()


def test_variables_of_more_values_than_anybody_needs_are_refused(served: World) -> None:
    def ask(count: int) -> Any:  # noqa: ANN401 - an answer
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        return post(served, query, ids=[[["x"] * count]]).json()["errors"][0]["message"]

    # The variables themselves, a list, a list in it, one in that, and what it holds.
    assert "The variables hold more than 1000 values." not in ask(996)
    assert ask(997) == "The variables hold more than 1000 values."


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    more = '[limits]\nrate = "5/hour"'
    with world(tmp_path_factory.mktemp("hurried"), entries=5, more=more) as one:
        yield one


def fields(response: httpx.Response) -> dict[str, str]:
    """Return the parameters of the `RateLimit` field."""
    _, *parameters = response.headers["ratelimit"].split(";")
    return dict(parameter.split("=") for parameter in parameters)


def test_a_caller_may_ask_as_often_as_its_rate_says(hurried: World) -> None:
    asked = ["{ __typename }", "{ nobody }", "{", "mutation { nobody }", "{ __typename }"]

    allowed = [post(hurried, query) for query in asked]
    refused = [post(hurried, "{ __typename }") for _ in range(3)]
    page = hurried.http.get("/graphql", headers={"Accept": "text/html"})
    alive = hurried.http.get("/livez")

    assert [int(fields(one)["r"]) for one in allowed] == [4, 3, 2, 1, 0]
    assert {one.headers["ratelimit-policy"] for one in allowed + refused} == {
        '"default";q=5;w=3600'
    }
    for one in refused:
        (error,) = one.json()["errors"]
        assert (one.status_code, error["extensions"]["code"]) == (429, "RATE_LIMITED")
        assert 0 < int(one.headers["retry-after"]) <= 720
        assert (fields(one)["r"], one.headers["cache-control"]) == ("0", "no-store")
    assert (page.status_code, alive.status_code) == (200, 200)


# The request, its status, and the status where these are precise.
STATUSES: list[tuple[Any, int, int]] = [
    ({"query": "{ viewer { subject } }"}, 200, 200),
    ({"query": "{ viewer { subject } nodes(ids: []) { id } }"}, 200, 200),
    ({"query": "{ customers(first: -1) { totalCount } }"}, 200, 294),
    ({"query": "{ a: viewer { subject } b: customers(first: -1) { totalCount } }"}, 200, 294),
    ({"query": "{"}, 400, 400),
    ({"query": "{ nobody }"}, 400, 422),
    ({"query": "query A { __typename } query B { __typename }"}, 400, 422),
    ({"query": "query ($r: String!) { customer(reference: $r) { id } }"}, 400, 422),
    ({"query": "subscription { paymentChanged(reference: 1) { id } }"}, 400, 422),
    ({"query": MANY, "variables": {"first": 100}}, 400, 422),
    ({"query": "{ __typename }", "variables": {"a": [1] * 1000}}, 400, 422),
    ({"query": "{ __typename }", "variables": []}, 400, 422),
    ({"qeury": "{ __typename }"}, 400, 422),
    ([], 400, 422),
    (b"{", 400, 400),
]


@pytest.mark.parametrize("is_precise", [False, True])
def test_the_statuses_are_the_newest_where_they_are_asked_for(
    tmp_path: Path, *, is_precise: bool
) -> None:
    more = f"[graphql]\nprecise_statuses = {json.dumps(is_precise)}"
    with world(tmp_path, entries=5, more=more) as one:
        for body, usual, precise in STATUSES:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = {"Content-Type": "application/json", "Accept": RESPONSE}
            strict = one.http.post("/graphql", content=content, headers=headers)
            headers["Accept"] = "application/json"
            plain = one.http.post("/graphql", content=content, headers=headers)

            assert strict.status_code == (precise if is_precise else usual), body
            assert plain.status_code in {200, 400}, body
            is_request = isinstance(body, dict) and isinstance(body.get("query"), str)
            if is_request and not isinstance(body.get("variables"), list):
                assert plain.status_code == 200, body
            assert ("data" in strict.json()) == (strict.status_code in {200, 294})
