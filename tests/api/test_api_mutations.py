"""Customers are created and deleted, accounts linked and unlinked, and each of it once."""

from collections.abc import Iterator

import pytest
from changing import (
    DELETE,
    KINDS,
    LINK,
    NEWEST,
    UNLINK,
    create,
    credentials,
    delete,
    link,
    linked,
    refusal,
    unlink,
)
from world import World, world

CUSTOMER = "query($r: String!) { customer(reference: $r) { id displayName accounts { id } } }"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("mutations"), entries=20) as one:
        yield one


@pytest.fixture
def customer(served: World) -> Iterator[str]:
    """Create a customer, and delete it in the end where it is still there."""
    create(served, "C-7")
    yield "C-7"
    delete(served, "C-7")


def amounts(one: World, account_id: str) -> list[str]:
    rows = one.data(NEWEST, {"id": account_id})["node"]["creditChanges"]["nodes"]
    return [row["amount"]["amount"] for row in rows]


def test_a_customer_is_created_and_is_there_until_it_is_deleted(served: World) -> None:
    made = create(served, "C-77", displayName="Åsa", clientMutationId="m-1")
    payload = made["data"]["createCustomer"]
    there = served.data(CUSTOMER, {"r": "C-77"})["customer"]
    deleted = served.data(DELETE, {"input": {"reference": "C-77", "clientMutationId": "m-2"}})
    gone = served.data(CUSTOMER, {"r": "C-77"})["customer"]

    assert payload["customer"] == {
        "id": there["id"],
        "reference": "C-77",
        "displayName": "Åsa",
        "accounts": [],
    }
    assert payload["clientMutationId"] == "m-1"
    assert there == {"id": payload["customer"]["id"], "displayName": "Åsa", "accounts": []}
    assert deleted["deleteCustomer"] == {
        "deletedCustomerId": there["id"],
        "clientMutationId": "m-2",
    }
    assert gone is None
    assert refusal(delete(served, "C-77")) == ("NOT_FOUND", None)


@pytest.mark.parametrize("name", KINDS)
def test_an_account_is_linked_read_and_unlinked(served: World, customer: str, name: str) -> None:
    told = {"customerReference": customer, "provider": name, "label": "new"}
    given = {**told, "credentials": credentials(served, name), "clientMutationId": "m-1"}

    payload = served.data(LINK, {"input": given})["linkAccount"]
    account = payload["account"]
    read = amounts(served, account["id"])
    unlinked = {"accountId": account["id"], "clientMutationId": "m-2"}
    answer = served.data(UNLINK, {"input": unlinked})["unlinkAccount"]

    assert (account["label"], account["status"]) == ("new", "ACTIVE")
    assert account["provider"]["name"] == name
    assert account["customer"]["reference"] == customer
    assert (account["externalId"] is not None) == (name == "loyalty")
    assert payload["clientMutationId"] == "m-1"
    assert len(read) == 5
    assert answer == {"unlinkedAccountId": account["id"], "clientMutationId": "m-2"}
    assert served.data(NEWEST, {"id": account["id"]})["node"] is None
    assert served.data(CUSTOMER, {"r": customer})["customer"]["accounts"] == []
    assert refusal(unlink(served, account["id"])) == ("NOT_FOUND", None)


@pytest.mark.parametrize("name", KINDS)
def test_linking_the_same_again_changes_nothing_and_asks_nobody(
    served: World, customer: str, name: str
) -> None:
    served.sandbox.change_settings(rotate="single_use")
    given = credentials(served, name)
    first = linked(link(served, customer, name, given))
    served.sandbox.reset_calls()

    again = linked(link(served, customer, name, given))
    calls = served.sandbox.calls()
    read = amounts(served, first["id"])
    served.sandbox.change_settings(rotate="keep")

    assert again == first
    assert calls == {}
    assert len(read) == 5


def test_other_labels_are_other_accounts_and_the_same_label_is_the_same(
    served: World, customer: str
) -> None:
    plain, main = (
        linked(link(served, customer, "hosting", credentials(served, "hosting"), label))
        for label in (None, "main")
    )
    again = linked(link(served, customer, "hosting", credentials(served, "hosting"), "main"))

    assert plain["id"] != main["id"]
    assert again == main


@pytest.mark.parametrize("name", KINDS)
def test_other_credentials_show_their_own_history_and_nothing_of_the_former(
    served: World, customer: str, name: str
) -> None:
    before = linked(link(served, customer, name, credentials(served, name, "C-1001")))
    former = served.data(NEWEST, {"id": before["id"]})["node"]

    after = linked(link(served, customer, name, credentials(served, name, "C-1002")))
    present = served.data(NEWEST, {"id": before["id"]})["node"]

    assert after["id"] == before["id"]
    assert after["linkedAt"] == before["linkedAt"]
    assert len(former["creditChanges"]["nodes"]) == len(present["creditChanges"]["nodes"]) == 5
    assert present["creditChanges"]["nodes"] != former["creditChanges"]["nodes"]
    # A loyalty card holds several units, which one balance cannot tell.
    assert (present["balance"] != former["balance"]) == (name != "loyalty")


def test_credentials_that_were_refused_are_proved_again(served: World, customer: str) -> None:
    given = credentials(served, "hosting")
    account = linked(link(served, customer, "hosting", given))
    served.sandbox.set_fault("hostup", {"kind": "status", "status": 401})
    served.ask(NEWEST, {"id": account["id"]})

    refused = refusal(link(served, customer, "hosting", given))
    served.sandbox.clear_fault("hostup")
    accepted = linked(link(served, customer, "hosting", given))

    assert refused == ("UPSTREAM_UNAUTHORIZED", "credentials.hostup.apiKey")
    assert (accepted["id"], accepted["status"]) == (account["id"], "ACTIVE")
    assert len(amounts(served, account["id"])) == 5


def test_a_deleted_customer_takes_its_accounts_along_and_comes_back_without(
    served: World, customer: str
) -> None:
    account = linked(link(served, customer, "hosting", credentials(served, "hosting")))
    delete(served, customer)
    gone = served.data(NEWEST, {"id": account["id"]})["node"]

    again = create(served, customer)["data"]["createCustomer"]["customer"]

    assert gone is None
    assert again["accounts"] == []
    assert refusal(unlink(served, account["id"])) == ("NOT_FOUND", None)


def test_each_mutation_of_a_request_sees_what_those_before_it_did(served: World) -> None:
    query = """mutation {
      a: createCustomer(input: { reference: "C-8" }) { customer { id } }
      b: deleteCustomer(input: { reference: "C-8" }) { deletedCustomerId }
      c: createCustomer(input: { reference: "C-8" }) { customer { id } }
      d: deleteCustomer(input: { reference: "C-8" }) { deletedCustomerId } }"""

    data = served.data(query)

    assert data["a"]["customer"]["id"] == data["b"]["deletedCustomerId"]
    assert data["c"]["customer"]["id"] == data["d"]["deletedCustomerId"]
    assert data["a"] != data["c"]


def test_nothing_is_changed_by_get(served: World) -> None:
    query = 'mutation { createCustomer(input: { reference: "C-9" }) { customer { id } } }'

    by_get = served.http.get("/graphql", params={"query": query})
    there = served.data(CUSTOMER, {"r": "C-9"})["customer"]
    by_post = served.http.post("/graphql", json={"query": query})
    delete(served, "C-9")

    assert (by_get.status_code, there) == (405, None)
    assert "errors" not in by_post.json()
    assert by_post.headers["cache-control"] == "no-store"
