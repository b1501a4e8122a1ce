"""What each scope lets a caller see: what is not allowed answers exactly as what is not there."""

from typing import Any

import pytest
from issuing import asked, token
from world import World

from app.api.ids import NodeId, NodeKind, written

pytest_plugins = ("auth_fixtures",)

OWN, OTHER, ABSENT = "C-1001", "C-1002", "C-9999"
CUSTOMER = """query($r: String!) { customer(reference: $r) { id reference displayName
  accounts { id creditChanges(first: 1) { nodes { id } } payments(first: 1) { nodes { id } } }
} }"""
NODE = "query($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
LIST = """query($search: String, $n: Int, $last: Int) { customers(search: $search, first: $n,
  last: $last) { nodes { reference } totalCount edges { cursor }
  pageInfo { hasNextPage hasPreviousPage } } }"""
VIEWER = "{ viewer { subject scopes customer { reference } } }"


def ids_of(one: World, reference: str) -> list[str]:
    """Return the ids of a customer and of one of each kind that it has."""
    everyone = token({"scope": "credits:read:any"})
    customer = asked(one, everyone, CUSTOMER, r=reference)["data"]["customer"]
    found = [customer["id"]]
    for account in customer["accounts"]:
        found.append(account["id"])
        for kind in ("creditChanges", "payments"):
            found += [entry["id"] for entry in (account[kind] or {"nodes": []})["nodes"]]
    return found


def references(answer: dict[str, Any]) -> list[str]:
    return [one["reference"] for one in answer["data"]["customers"]["nodes"]]


@pytest.mark.parametrize("claim", ["scope", "scp", "scopes"])
@pytest.mark.parametrize("as_list", [False, True])
def test_scopes_are_read_however_an_issuer_writes_them(
    steady: World, claim: str, *, as_list: bool
) -> None:
    named = ["openid", "credits:read", "credits:read:any", "credits:write"]
    caller = token({claim: named if as_list else " ".join(named)})

    viewer = asked(steady, caller, VIEWER)["data"]["viewer"]

    assert viewer == {
        "subject": "anna",
        "scopes": ["credits:read", "credits:read:any"],
        "customer": None,
    }


@pytest.mark.parametrize(
    "scope", ["", "credits", "credits:read:any:more", "CREDITS:READ:ANY", "credits:read:any,x"]
)
def test_no_scope_sees_nothing(steady: World, scope: str) -> None:
    caller = token({"scope": scope, "customer": OWN})

    assert asked(steady, caller, CUSTOMER, r=OWN)["data"] == {"customer": None}
    assert references(asked(steady, caller, LIST)) == []
    assert asked(steady, caller, VIEWER)["data"]["viewer"]["customer"] is None
    for one in ids_of(steady, OWN):
        assert asked(steady, caller, NODE, id=one)["data"] == {"node": None}


def test_the_own_customer_is_seen_at_every_entry(steady: World) -> None:
    caller = token({"scope": "credits:read", "customer": OWN})
    own = ids_of(steady, OWN)

    nodes = asked(steady, caller, NODES, ids=own)["data"]["nodes"]

    assert asked(steady, caller, CUSTOMER, r=OWN)["data"]["customer"]["reference"] == OWN
    assert references(asked(steady, caller, LIST)) == [OWN]
    assert asked(steady, caller, VIEWER)["data"]["viewer"]["customer"] == {"reference": OWN}
    assert [node["id"] for node in nodes] == own
    assert len({node["__typename"] for node in nodes}) == 4


@pytest.mark.parametrize("scope", ["credits:read", "credits:read accounts:write:any"])
def test_another_customer_is_as_if_it_were_not_there(steady: World, scope: str) -> None:
    caller = token({"scope": scope, "customer": OWN})
    there, absent = ids_of(steady, OTHER), written(NodeId(NodeKind.CUSTOMER, "0" * 16))

    by_reference = [asked(steady, caller, CUSTOMER, r=one) for one in (OTHER, ABSENT)]
    by_id = [asked(steady, caller, NODE, id=one) for one in [*there, absent, "nothing"]]
    by_ids = asked(steady, caller, NODES, ids=[*there, absent])
    searched = [asked(steady, caller, LIST, search=one) for one in (OTHER, ABSENT)]

    assert by_reference[0] == by_reference[1]
    assert by_reference[0]["data"] == {"customer": None}
    # What an id costs is told by its text, whether anything has it or not.
    assert all(answer.keys() == {"data", "extensions"} for answer in [*by_id, by_ids])
    assert all(answer["data"] == {"node": None} for answer in by_id)
    assert by_ids["data"] == {"nodes": [None] * (len(there) + 1)}
    assert searched[0] == searched[1]
    assert references(searched[0]) == []


@pytest.mark.parametrize("reference", ["C-1001", "C-1002", "C-1003"])
@pytest.mark.parametrize("arguments", [{"n": 1}, {"last": 1}, {}, {"n": 0}, {"last": 0}])
def test_a_list_of_one_says_nothing_of_the_others(
    steady: World, reference: str, arguments: dict[str, int]
) -> None:
    caller = token({"scope": "credits:read", "customer": reference})

    listed = asked(steady, caller, LIST, **arguments)["data"]["customers"]

    shown = 0 if 0 in arguments.values() else 1
    assert [one["reference"] for one in listed["nodes"]] == [reference] * shown
    assert listed["totalCount"] == 1
    if shown:
        assert listed["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": False}


def test_whoever_may_read_all_sees_all(steady: World) -> None:
    caller = token({"scope": "credits:read:any"})

    assert references(asked(steady, caller, LIST)) == ["C-1001", "C-1002", "C-1003"]
    for reference in (OWN, OTHER):
        own = ids_of(steady, reference)
        nodes = asked(steady, caller, NODES, ids=own)["data"]["nodes"]
        assert [node["id"] for node in nodes] == own


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"customer": None},
        {"customer": ""},
        {"customer": OWN.lower()},
        {"customer": OWN + " "},
        {"customer": ABSENT},
        {"client": OWN},
    ],
    ids=str,
)
def test_a_caller_of_no_customer_sees_none(steady: World, claims: dict[str, Any]) -> None:
    caller = token({"scope": "credits:read", **claims})

    assert asked(steady, caller, CUSTOMER, r=OWN)["data"] == {"customer": None}
    assert references(asked(steady, caller, LIST)) == []
    assert asked(steady, caller, VIEWER)["data"]["viewer"]["customer"] is None


def test_callers_are_told_apart_on_one_connection(steady: World) -> None:
    callers = {
        one: token({"scope": "credits:read", "customer": one, "sub": one}) for one in (OWN, OTHER)
    }

    for _ in range(20):
        for reference, caller in callers.items():
            viewer = asked(steady, caller, VIEWER)["data"]["viewer"]
            assert viewer["customer"] == {"reference": reference}
            assert viewer["subject"] == reference
            assert references(asked(steady, caller, LIST)) == [reference]
