"""Every way in by two customers' viewers with every scope: only what the scopes allow is there.

What is not allowed is answered exactly as what does not exist. A new type, or a new argument that
names something, fails until it has a row here.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

import pytest
import pytest_asyncio
from callers import Callers, callers, viewer
from changes import CHANGES
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    get_named_type,
)

from app.api.ids import NodeId, NodeKind, written
from app.api.schema import sdl
from app.model.viewer import Scope, Viewer

MINE, OTHERS = "C-1001", "C-1002"
SCOPES = [frozenset(some) for some in chain.from_iterable(combinations(Scope, n) for n in range(5))]
VIEWERS = [viewer(reference, scopes) for reference in (MINE, OTHERS, None) for scopes in SCOPES]


@dataclass(frozen=True)
class Names:
    """What names one customer's things, or things that nobody has."""

    reference: str
    customer: str
    account: str
    change: str
    payment: str


NOBODY = Names(
    "C-none",
    written(NodeId(NodeKind.CUSTOMER, "f" * 16)),
    written(NodeId(NodeKind.ACCOUNT, "f" * 16)),
    written(NodeId(NodeKind.CREDIT_CHANGE, "f" * 16, "1")),
    written(NodeId(NodeKind.PAYMENT, "f" * 16, "1")),
)


@dataclass(frozen=True)
class Row:
    """A way in: the query that takes it, and whether it needs the right to write."""

    query: Callable[[Names], str]
    writes: bool = False


def _filtered(query: str) -> Row:
    return Row(lambda names: query.replace("ACCOUNT", names.account))


def _node(of: Callable[[Names], str], fields: str) -> Row:
    return Row(lambda names: f'{{ node(id: "{of(names)}") {{ id {fields} }} }}')


def _listening(field: str) -> Row:
    return Row(lambda names: f'subscription {{ {field}(reference: "{names.reference}") {{ id }} }}')


# A filter by account is asked of all customers that the viewer sees, so that it may try all.
OWNERS = {
    "Customer": "{ customers { nodes { %s } } }",
    "Account": "{ customers { nodes { accounts { %s } } } }",
}
HISTORIES = {
    "creditChanges": 'creditChanges(filter: { accounts: ["ACCOUNT"] }) { nodes { id } }',
    "payments": 'payments(filter: { accounts: ["ACCOUNT"] }) { nodes { id } }',
    "creditSummary": 'creditSummary(filter: { accounts: ["ACCOUNT"] }) { units { count } }',
}
# By the coordinate of the argument that names something, and by the type that a node may be.
WAYS = {
    "Query.customer(reference)": Row(
        lambda names: (
            f'{{ customer(reference: "{names.reference}") {{ id displayName accounts {{ id }}'
            " balances { reported { amount } }"
            " creditChanges(first: 2) { nodes { id } totalCount sources { state } }"
            " payments(first: 2) { nodes { id } }"
            " creditSummary { units { count } } } }"
        )
    ),
    "Query.customers(search)": Row(
        lambda names: (
            f'{{ customers(search: "{names.reference}") {{ nodes {{ id }} totalCount }} }}'
        )
    ),
    "Query.nodes(ids)": Row(
        lambda names: (
            f'{{ nodes(ids: ["{names.customer}", "{names.account}", "{names.change}",'
            f' "{names.payment}"]) {{ __typename id }} }}'
        )
    ),
    "Query.node(id) Customer": _node(
        lambda names: names.customer, "... on Customer { reference payments { nodes { id } } }"
    ),
    "Query.node(id) Account": _node(
        lambda names: names.account,
        "... on Account { label customer { reference } balance { state }"
        " creditChanges { nodes { id } } }",
    ),
    "Query.node(id) CreditChange": _node(
        lambda names: names.change,
        "... on CreditChange { amount { amount } account { customer { reference } } }",
    ),
    "Query.node(id) Payment": _node(
        lambda names: names.payment, "... on Payment { product account { customer { id } } }"
    ),
    **{
        f"{owner}.{history}(filter.accounts)": _filtered(query % part)
        for owner, query in OWNERS.items()
        for history, part in HISTORIES.items()
        if (owner, history) != ("Account", "creditSummary")
    },
    **{
        f"Subscription.{field}(reference)": _listening(field)
        for field in ("creditChangeAdded", "paymentChanged")
    },
    "Mutation.refreshAccount(input.accountId)": Row(
        lambda names: (
            f'mutation {{ refreshAccount(input: {{ accountId: "{names.account}" }})'
            " { account { id } sources { state } } }"
        ),
        writes=True,
    ),
}


def may(scopes: frozenset[Scope], own: Scope, every: Scope, *, is_own: bool) -> bool:
    return every in scopes or (own in scopes and is_own)


def may_read(who: Viewer) -> bool:
    return may(who.scopes, Scope.READ, Scope.READ_ANY, is_own=who.reference == MINE)


def may_write(who: Viewer) -> bool:
    return may(who.scopes, Scope.WRITE, Scope.WRITE_ANY, is_own=who.reference == MINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("matrix")


@pytest_asyncio.fixture
async def served(folder: Path) -> AsyncIterator[Callers]:
    async with callers(folder) as one:
        yield one


async def names_of(served: Callers, reference: str) -> Names:
    """Return what names a customer's things, as a viewer who may see them is told."""
    everything = viewer(None, Scope)
    answer = await served.ask(
        everything,
        f'{{ customer(reference: "{reference}") {{ id accounts {{ id }}'
        " creditChanges(first: 1) { nodes { id } } payments(first: 1) { nodes { id } } } }",
    )
    found = answer["data"]["customer"]
    return Names(
        reference,
        found["id"],
        found["accounts"][0]["id"],
        found["creditChanges"]["nodes"][0]["id"],
        found["payments"]["nodes"][0]["id"],
    )


@pytest.mark.parametrize("way", WAYS)
async def test_only_what_the_scopes_allow_is_there(way: str, served: Callers) -> None:
    mine, row = await names_of(served, MINE), WAYS[way]
    shown = 0
    for who in VIEWERS:
        there = await served.ask(who, row.query(mine))
        absent = await served.ask(who, row.query(NOBODY))
        if not (may_read(who) or (row.writes and may_write(who))):
            assert there == absent, who
        elif row.writes and not may_write(who):
            assert [error["extensions"]["code"] for error in there["errors"]] == ["FORBIDDEN"], who
        else:
            assert there != absent, who
            assert "errors" not in there, (who, there)
            shown += 1

    # Of the viewers, so many have the scopes: the others cannot have been refused for all.
    allowed = may_write if row.writes else may_read
    assert shown == sum(allowed(who) for who in VIEWERS) > 0


async def test_all_customers_are_listed_to_whom_may_see_all_and_the_own_one_to_its_viewer(
    served: Callers,
) -> None:
    listed = "{ customers { nodes { reference } totalCount } viewer { customer { reference } } }"
    for who in VIEWERS:
        data = (await served.ask(who, listed))["data"]
        expected = (
            [MINE, OTHERS, "C-1003"]
            if Scope.READ_ANY in who.scopes
            else [who.reference] * (Scope.READ in who.scopes and who.reference is not None)
        )
        assert [node["reference"] for node in data["customers"]["nodes"]] == expected, who
        assert data["customers"]["totalCount"] == len(expected), who
        own = who.reference if expected and who.reference else None
        assert data["viewer"]["customer"] == (own and {"reference": own}), who


async def test_a_cursor_of_another_customer_opens_nothing(served: Callers) -> None:
    everything, own = viewer(None, Scope), viewer(OTHERS, [Scope.READ])
    query = """query ($of: String!, $after: String) { customer(reference: $of) {
      creditChanges(first: 1, after: $after) { edges { cursor node { id } } } } }"""
    first = await served.ask(everything, query, {"of": MINE})
    cursor = first["data"]["customer"]["creditChanges"]["edges"][0]["cursor"]

    answer = await served.ask(own, query, {"of": OTHERS, "after": cursor})

    assert answer["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


def test_every_way_in_has_a_row() -> None:
    schema = build_schema(sdl())

    assert set(ways_in(schema)) == set(WAYS) | set(CHANGES)


def test_a_new_type_and_a_new_argument_would_need_a_row() -> None:
    schema = build_schema(
        sdl().replace("type Query {", "type Query {\n  account(accountId: ID!): Account")
        + "type Refund implements Node { id: ID! }"
    )

    assert set(ways_in(schema)) - set(WAYS) - set(CHANGES) == {
        "Query.account(accountId)",
        "Query.node(id) Refund",
    }


def ways_in(schema: GraphQLSchema) -> Iterator[str]:
    """Yield every argument that names something, `node` once for each type that it may be."""
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType) or kind.name.startswith("__"):
            continue
        for name, field in kind.fields.items():
            for argument, defined in field.args.items():
                for path in naming(argument, get_named_type(defined.type)):
                    coordinate = f"{kind.name}.{name}({path})"
                    if coordinate != "Query.node(id)":
                        yield coordinate
                        continue
                    for one in schema.get_possible_types(node):
                        yield f"{coordinate} {one.name}"


def naming(path: str, kind: GraphQLNamedType, depth: int = 0) -> Iterator[str]:
    """Yield the paths within an argument that name something."""
    if isinstance(kind, GraphQLInputObjectType) and depth < 3:
        for name, field in kind.fields.items():
            yield from naming(f"{path}.{name}", get_named_type(field.type), depth + 1)
    elif kind.name == "ID" or re.search(r"(?i)reference$|^search$", path.rpartition(".")[2]):
        yield path
