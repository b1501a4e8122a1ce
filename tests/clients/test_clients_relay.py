"""Relay's compiler takes the schema, and its hooks page through the lists of it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked_by_clients import (
    AT_ONCE,
    arrivals,
    asked_with_a_token,
    check_pages,
    page_task,
)
from lists import account_lists, customer_list
from node_scripts import FOLDER, answer_of, compile_for_relay, needs_clients
from world import World, gateway, world

pytestmark = needs_clients
Listed = tuple[str | None, list[str]]
CUSTOMERS = "{ customers(first: 100) { nodes { id } } }"
CREATE = """mutation($input: CreateCustomerInput!) {
  createCustomer(input: $input) { customer { id } } }"""


@pytest.fixture(scope="module", autouse=True)
def _artifacts() -> None:
    compiled = compile_for_relay()
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("relay"), entries=20, more=AT_ONCE) as served:
        for number in range(1, 21):
            served.data(CREATE, {"input": {"reference": f"R-{number:03}"}})
        yield served


def of_customer(field: str) -> Callable[[World], Listed]:
    def listed(one: World) -> Listed:
        asked = customer_list(one, field, "C-1001")
        return asked.owner, [row["id"] for row in asked.rows()]

    return listed


def of_account(one: World) -> Listed:
    asked = account_lists(one, "creditChanges", "C-1001")[0]
    return asked.owner, [row["id"] for row in asked.rows()]


def of_everyone(one: World) -> Listed:
    return None, [node["id"] for node in one.data(CUSTOMERS)["customers"]["nodes"]]


# What the list's artifacts are named, what arrives meanwhile, and its rows by plain questions.
LISTS: list[tuple[str, str | None, Callable[[World], Listed]]] = [
    ("ListsCreditChanges", "creditChanges", of_customer("creditChanges")),
    ("ListsPayments", "payments", of_customer("payments")),
    ("ListsAccountCreditChanges", "creditChanges", of_account),
    ("ListsCustomers", None, of_everyone),
]


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
@pytest.mark.parametrize(("name", "arriving", "listed"), LISTS)
def test_a_list_comes_whole_page_by_page_and_its_first_page_again(
    one: World,
    name: str,
    arriving: str | None,
    listed: Callable[[World], Listed],
    direction: str,
) -> None:
    with gateway(one.settings, one.sandbox, one.folder) as fresh:
        owner, before = listed(fresh)
    with asked_with_a_token(one) as served:
        task = page_task(served, size=7, direction=direction, list=name, owner=owner)
        more = arrivals(arriving) if arriving else []
        told = answer_of("relay/paging.mjs", {**task, "arrivals": more})

    check_pages(told, before, falling=arriving is not None)
    assert len(told["pages"]) >= 3
    assert told["arrived"] >= (3 if arriving else 0)
    check_first_page(told, before, direction)


def check_first_page(told: dict[str, Any], before: list[str], direction: str) -> None:
    """Demand the page at the end that paging begins at; entries arrive at the other one's head."""
    anew = [row["id"] for row in told["anew"]]
    assert len(anew) == len(set(anew)) == 7
    if direction == "backwards":
        assert anew == before[-7:]


@pytest.mark.parametrize("wrong", ["repeat", "skip", "turn"])
def test_a_row_that_is_repeated_missing_or_misplaced_is_noticed(one: World, wrong: str) -> None:
    with gateway(one.settings, one.sandbox, one.folder) as fresh:
        owner, before = of_customer("payments")(fresh)
    with asked_with_a_token(one) as served:
        task = page_task(served, size=7, list="ListsPayments", owner=owner)
        told = answer_of("relay/paging.mjs", {**task, "doctor": wrong})

    with pytest.raises(AssertionError):
        check_pages(told, before)


def test_a_mutation_changes_the_list_that_is_shown(one: World) -> None:
    with asked_with_a_token(one) as served:
        told = answer_of("relay/changing.mjs", {**served, "reference": "Z-9"})

    created, deleted = told["told"]["createCustomer"], told["told"]["deleteCustomer"]
    assert told["afterCreating"] == [*told["before"], "Z-9"]
    assert told["node"] == {
        "__typename": "Customer",
        "id": created["customer"]["id"],
        "reference": "Z-9",
    }
    assert told["afterDeleting"] == told["before"]
    assert deleted["deletedCustomerId"] == created["customer"]["id"]
    assert created["clientMutationId"] == deleted["clientMutationId"] == "one"


def test_a_schema_without_what_relay_needs_does_not_compile(tmp_path: Path) -> None:
    schema = (FOLDER.parents[1] / "schema.graphql").read_text(encoding="utf-8")
    wrong = schema.replace("  endCursor: String\n", "").replace("  hasNextPage: Boolean!\n", "")
    (tmp_path / "schema.graphql").write_text(wrong, encoding="utf-8")
    (tmp_path / "relay").mkdir()
    for source in (FOLDER / "relay").glob("*.js"):
        (tmp_path / "relay" / source.name).write_text(source.read_text(encoding="utf-8"))
    config = (FOLDER / "relay.config.json").read_text(encoding="utf-8")
    (tmp_path / "relay.config.json").write_text(config.replace("../../schema", "./schema"))

    compiled = compile_for_relay(tmp_path)

    assert compiled.returncode != 0
    assert "@connection used on invalid field" in compiled.stderr
