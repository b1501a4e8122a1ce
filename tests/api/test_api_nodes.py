"""Objects by their ids, the viewer, the providers, and the list of customers."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from world import World, gateway, world

IDS = """{ customer(reference: "C-1001") {
  id accounts { id }
  creditChanges(first: 40) { nodes { id } } payments(first: 40) { nodes { id } } } }"""
NODE = """query($id: ID!) { node(id: $id) { __typename id
  ... on Customer { reference } ... on Account { label customer { reference } }
  ... on CreditChange { occurredAt } ... on Payment { createdAt } } }"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("nodes"), entries=60) as one:
        yield one


@pytest.fixture(scope="module")
def named(served: World) -> dict[str, str]:
    """Return an id of each type; the entries' are not on the newest pages."""
    customer = served.data(IDS)["customer"]
    return {
        "Customer": customer["id"],
        "Account": customer["accounts"][0]["id"],
        "CreditChange": customer["creditChanges"]["nodes"][-1]["id"],
        "Payment": customer["payments"]["nodes"][-1]["id"],
    }


@pytest.mark.parametrize("kind", ["Customer", "Account", "CreditChange", "Payment"])
def test_an_object_is_found_by_its_id_also_by_a_gateway_that_never_listed_it(
    served: World, named: dict[str, str], kind: str
) -> None:
    here = served.data(NODE, {"id": named[kind]})["node"]
    with gateway(served.settings, served.sandbox, served.folder) as cold:
        there = cold.data(NODE, {"id": named[kind]})["node"]

    assert (here["__typename"], here["id"]) == (kind, named[kind])
    assert there == here


def test_every_entry_is_found_by_its_id(served: World) -> None:
    customer = served.data(IDS)["customer"]
    ids = [one["id"] for field in ("creditChanges", "payments") for one in customer[field]["nodes"]]

    found = served.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids})["nodes"]

    assert [one["id"] for one in found] == ids


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_an_id_of_nothing_is_null(served: World, named: dict[str, str]) -> None:
    account = "0" * 16
    entry = named["CreditChange"]
    strange = [
        *("", "x", "====", "é", "\0", "a" * 10_000, entry + "=", entry[:-2], "1"),
        *(encoded(text) for text in ("c", "c:", "a:", "z:1", "e:1", "p::", "c:1:2", "a:1:2")),
        encoded(f"c:{account}"),
        encoded(f"a:{account}"),
        encoded(f"e:{account}:1"),
    ]

    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    found = served.data(query, {"ids": [*strange, named["Customer"]]})["nodes"]

    assert found == [None] * len(strange) + [{"id": named["Customer"]}]


def test_an_entry_is_not_found_in_another_account_or_stream(served: World) -> None:
    customer = served.data(IDS)["customer"]
    loyalty = served.data(
        '{ customer(reference: "C-1001") { accounts { id provider { name } } } }'
    )["customer"]["accounts"]
    owner = next(one["id"] for one in loyalty if one["provider"]["name"] == "loyalty")
    raw = decoded(owner).removeprefix("a:")

    payment_of_loyalty = served.data(NODE, {"id": encoded(f"p:{raw}:1")})["node"]
    absent = served.data(NODE, {"id": encoded(f"e:{raw}:1")})["node"]
    crossed = encoded("p" + decoded(customer["creditChanges"]["nodes"][0]["id"])[1:])

    assert payment_of_loyalty is None
    assert absent is None
    assert served.data(NODE, {"id": crossed})["node"] is None


def decoded(global_id: str) -> str:
    return urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4)).decode()


def test_an_entry_that_cannot_be_read_fails_alone_among_nodes(
    served: World, named: dict[str, str]
) -> None:
    hosting = served.data(
        '{ customer(reference: "C-1001") { creditChanges(filter: {providers: ["hosting"]}) '
        "{ nodes { id } } } }"
    )["customer"]["creditChanges"]["nodes"][0]["id"]
    served.sandbox.set_fault("hostup", {"kind": "html"})
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    try:
        with gateway(served.settings, served.sandbox, served.folder) as cold:
            answer = cold.ask(query, {"ids": [named["Customer"], hosting, "x"]})
    finally:
        served.sandbox.clear_fault("hostup")

    assert answer["data"]["nodes"] == [{"id": named["Customer"]}, None, None]
    (error,) = answer["errors"]
    assert error["path"] == ["nodes", 1]
    assert error["extensions"]["code"] == "UPSTREAM_INVALID_RESPONSE"


def test_without_access_control_the_viewer_is_anonymous_and_may_read_all(served: World) -> None:
    viewer = served.data("{ viewer { subject scopes customer { id } } }")["viewer"]

    assert viewer == {
        "subject": "anonymous",
        "scopes": ["accounts:write", "accounts:write:any", "credits:read", "credits:read:any"],
        "customer": None,
    }


def test_providers_say_what_they_are_and_can(served: World) -> None:
    providers = served.data("{ providers { name kind capabilities state } }")["providers"]

    everything = ["CREDIT_CHANGES", "PAYMENTS", "BALANCE"]
    assert [(one["name"], one["kind"], one["capabilities"]) for one in providers] == [
        ("cloud", "CLOUDREVE", everything),
        ("hosting", "HOSTUP", everything),
        ("loyalty", "CARECLOUD", ["CREDIT_CHANGES", "BALANCE"]),
    ]


CUSTOMERS = """query($first: Int, $after: String, $last: Int, $before: String, $search: String) {
  customers(first: $first, after: $after, last: $last, before: $before, search: $search) {
    edges { cursor node { reference } } nodes { reference } totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


class Customers:
    """The list of customers, asked for as `(references, previous?, next?)`."""

    def __init__(self, served: World) -> None:
        self.served = served

    def page(self, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - the field's arguments
        page: dict[str, Any] = self.served.data(CUSTOMERS, arguments)["customers"]
        assert page["nodes"] == [edge["node"] for edge in page["edges"]]
        return page

    def shown(self, **arguments: Any) -> tuple[list[str], bool, bool]:  # noqa: ANN401
        page = self.page(**arguments)
        info = page["pageInfo"]
        references = [one["reference"] for one in page["nodes"]]
        return references, info["hasPreviousPage"], info["hasNextPage"]


ALL = ["C-1001", "C-1002", "C-1003"]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_customers_are_paged_in_both_directions_by_reference(served: World, size: int) -> None:
    customers = Customers(served)
    cursors = [edge["cursor"] for edge in customers.page()["edges"]]

    for start in range(4):
        after = {"after": cursors[start - 1]} if start else {}
        shown = customers.shown(first=size, **after)
        assert shown == (ALL[start : start + size], start > 0, start + size < 3)
        before = {"before": cursors[start]} if start < 3 else {}
        shown = customers.shown(last=size, **before)
        assert shown == (ALL[max(start - size, 0) : start], start > size, start < 3)


def test_an_empty_page_of_customers_tells_the_truth_about_what_is_around_it(served: World) -> None:
    customers = Customers(served)
    cursors = [edge["cursor"] for edge in customers.page()["edges"]]

    assert customers.shown(first=0) == ([], False, True)
    assert customers.shown(last=0) == ([], True, False)
    assert customers.shown(first=0, after=cursors[0]) == ([], True, True)
    assert customers.shown(first=0, after=cursors[2]) == ([], True, False)
    assert customers.shown(last=0, before=cursors[0]) == ([], False, True)
    assert customers.shown(last=5, before=cursors[0]) == ([], False, True)
    assert customers.shown(last=0, before=cursors[2]) == ([], True, True)


def test_a_search_finds_part_of_a_reference_or_a_name_whatever_the_case(served: World) -> None:
    customers = Customers(served)
    anna = customers.page(search="aNNa")
    cursor = anna["pageInfo"]["endCursor"]

    assert customers.shown(search="c-1002") == (["C-1002"], False, False)
    assert "C-1001" in [one["reference"] for one in anna["nodes"]]
    assert anna["totalCount"] == len(anna["nodes"])
    assert customers.shown(search="nobody has this") == ([], False, False)
    assert customers.shown(search="") == (ALL, False, False)
    assert served.ask(CUSTOMERS, {"after": cursor})["errors"][0]["extensions"] == {
        "code": "INVALID_CURSOR"
    }
