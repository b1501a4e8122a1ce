"""What the default limit of 2,000 lets through and what not, and that no field is forgotten."""

from collections.abc import Iterator

import pytest
from asking_price import CUSTOMER, ROW, SCHEMA, changes, price, summary
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    get_introspection_query,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
)

from app.api.costs.table import TABLE
from app.api.executor import REPEATABLE

LIMIT = 2000
YEAR = '(bucket: DAY, from: "2025-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z")'

SENSIBLE = {
    "a customer's page": f"""{{ {CUSTOMER} {{
        creditChanges(first: 100) {{ nodes {{ {ROW} }} pageInfo {{ endCursor }}
          sources {{ state account {{ label }} error {{ code }} }} }}
        payments(first: 50) {{ nodes {{ id product amount {{ amount }} }} totalCount }}
        balances {{ reported {{ amount }} drift {{ amount }} }}
        creditSummary(bucket: MONTH) {{ units {{ unit byKind {{ kind }} byProvider {{ count }}
          series {{ start net {{ amount }} cumulative {{ amount }} }} }} }} }} }}""",
    "its second page": changes('(first: 100, after: "x")', f"edges {{ node {{ {ROW} }} }}"),
    "amounts for people": changes("(first: 100)", "nodes { amount { formatted } }"),
    "customers with their newest changes": f"""{{ customers(first: 20) {{ totalCount nodes {{
        creditChanges(first: 10) {{ nodes {{ {ROW} }} sources {{ state }} }} }} }} }}""",
    "customers with balances": "{ customers(first: 20) { nodes { balances { readAt } } } }",
    "customers with accounts": "{ customers(first: 100) { nodes { accounts { label } } } }",
    "days without a range": summary("(bucket: DAY)", "start net { amount }"),
    "a year of days": summary(YEAR, "start net { amount }"),
    "the schema": get_introspection_query(),
    "a refresh": 'mutation { refreshAccount(input: {accountId: "x"}) { sources { state } } }',
    "a subscription": 'subscription { creditChangeAdded(reference: "x") { id } }',
}
A_HUNDRED = ", ".join(f'"{number}"' for number in range(100))
EXCESSIVE = {
    "histories of all": """{ customers(first: 100) { nodes {
        creditChanges(first: 100) { nodes { id } } } } }""",
    "the newest of all": """{ customers(first: 100) { nodes {
        creditChanges(first: 1) { nodes { id } } } } }""",
    "histories by id": f"""{{ nodes(ids: [{A_HUNDRED}]) {{
        ... on Customer {{ creditChanges {{ nodes {{ id }} }} }} }} }}""",
    "thirty whole pages": "{"
    + " ".join(f"a{n}: {CUSTOMER} {{ creditChanges {{ nodes {{ id }} }} }}" for n in range(30))
    + "}",
    "thirty summaries": "{"
    + " ".join(f"a{n}: {CUSTOMER} {{ creditSummary {{ units {{ count }} }} }}" for n in range(30))
    + "}",
    "summaries of many": "{ customers(first: 20) { nodes { creditSummary { units { count } } } } }",
    "a life in days": summary(YEAR.replace("2025", "1990")),
    "filtered lists of many": """{ customers(first: 20) { nodes {
        creditChanges(first: 1, filter: {text: "x"}) { nodes { id } } } } }""",
    "accounts in accounts": "{ customers { nodes { accounts { customer { accounts { customer { "
    "accounts { label } } } } } } } }",
    "the schema four times": "{"
    + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(4))
    + "}",
}  # fmt: skip


@pytest.mark.parametrize("query", SENSIBLE.values(), ids=SENSIBLE.keys())
def test_sensible_work_is_below_the_limit(query: str) -> None:
    assert price(query) <= LIMIT


@pytest.mark.parametrize("query", EXCESSIVE.values(), ids=EXCESSIVE.keys())
def test_excessive_work_is_above_the_limit(query: str) -> None:
    assert price(query) > LIMIT


def needs_thought(field: GraphQLField) -> bool:
    """Say whether a field is a list, or asks a resolver of ours, which may read anything.

    What may be asked twice reads what is there.
    """
    known = field.extensions.get("strawberry-definition")
    resolves = known is not None and known.base_resolver and not known.metadata.get(REPEATABLE)
    return is_list(field) or bool(field.args) or bool(resolves)


def is_list(field: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(field.type))


def fields_of_the_schema() -> Iterator[tuple[str, GraphQLField]]:
    for kind in SCHEMA.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            yield from ((f"{kind.name}.{name}", field) for name, field in kind.fields.items())


def test_every_list_and_every_resolver_has_a_cost_with_a_reason() -> None:
    needed = {name for name, field in fields_of_the_schema() if needs_thought(field)}

    assert needed - TABLE.keys() == set()
    assert TABLE.keys() - {name for name, _ in fields_of_the_schema()} == set()
    assert all(weight.why for weight in TABLE.values())
    # The walk finds what it looks for, and not simply everything.
    assert {"Customer.balances", "Query.node", "Money.formatted"} <= needed
    assert "CreditChange.amount" not in needed


def test_every_list_of_objects_has_a_number_of_rows() -> None:
    lists = {
        name
        for name, field in fields_of_the_schema()
        if is_list(field) and is_composite_type(get_named_type(field.type))
    }

    assert {name for name in lists if not (TABLE[name].rows or TABLE[name].as_above)} == set()
    assert len(lists) >= 15
