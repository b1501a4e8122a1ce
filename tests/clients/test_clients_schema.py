"""What a new schema would break for the clients of the contract and of the last release."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema
from graphql.utilities import find_breaking_changes, find_dangerous_changes

TESTS = Path(__file__).parents[1]
SCHEMA = TESTS.parent / "schema.graphql"
PROMISED = {"contract": TESTS / "api/contract.graphql", "release": TESTS / "api/released.graphql"}
BREAKING = [
    ("  displayName: String\n  accounts", "  accounts", "FIELD_REMOVED"),
    ("  reason: String!\n  description", "  reason: String\n  description", "FIELD_CHANGED_KIND"),
    ("customer(reference: String!)", "customer(reference: String!, tenant: ID!)", "REQUIRED_ARG"),
    ("  REFUNDED\n", "", "VALUE_REMOVED_FROM_ENUM"),
    ("type Payment implements Node {", "type Payment {", "IMPLEMENTED_INTERFACE_REMOVED"),
]
DANGEROUS = ("  REFUNDED\n", "  REFUNDED\n  CHARGED_BACK\n", "VALUE_ADDED_TO_ENUM")


def schema_of(text: str) -> GraphQLSchema:
    return build_schema(text)


@pytest.mark.parametrize("promise", PROMISED)
def test_nothing_that_was_promised_is_broken_and_what_may_surprise_is_told(promise: str) -> None:
    old = schema_of(PROMISED[promise].read_text(encoding="utf-8"))
    new = schema_of(SCHEMA.read_text(encoding="utf-8"))

    surprising = [change.description for change in find_dangerous_changes(old, new)]
    print(*surprising, sep="\n")  # noqa: T201 - for the release notes; `pytest -rP` shows it

    assert [change.description for change in find_breaking_changes(old, new)] == []


@pytest.mark.parametrize(("kept", "changed", "named"), BREAKING)
@pytest.mark.parametrize("promise", PROMISED)
def test_a_schema_that_breaks_a_promise_is_noticed(
    promise: str, kept: str, changed: str, named: str
) -> None:
    text = SCHEMA.read_text(encoding="utf-8")
    assert kept in text
    old = schema_of(PROMISED[promise].read_text(encoding="utf-8"))

    found = find_breaking_changes(old, schema_of(text.replace(kept, changed)))

    assert any(named in change.type.name for change in found), found


def test_a_change_that_may_surprise_is_listed() -> None:
    kept, changed, named = DANGEROUS
    text = SCHEMA.read_text(encoding="utf-8")
    assert kept in text
    old = schema_of(PROMISED["release"].read_text(encoding="utf-8"))

    found = find_dangerous_changes(old, schema_of(text.replace(kept, changed)))

    assert [change.type.name for change in found] == [named]
