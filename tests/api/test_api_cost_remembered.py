"""What an operation costs is computed once for equal variables, and forgotten with it."""

import gc
from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from app.api.costs.costs import Costs
from app.api.costs.remembered import RememberedCosts
from app.api.execution import graphql_schema

CHANGES = "customer(reference: {}) {{ creditChanges(first: $first) {{ nodes {{ id }} }} }} "
QUERY = """query($first: Int) {
  customer(reference: "C-1") { creditChanges(first: $first) { nodes { id } } } }"""


class CountedCosts(Costs):
    computed = 0

    def requested(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        self.computed += 1
        return super().requested(document, operation, variables)


def asked(costs: RememberedCosts, document: DocumentNode, first: object) -> int:
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return costs.requested(document, operation, {"first": first})


def test_it_is_computed_once_for_equal_variables() -> None:
    counted = CountedCosts(graphql_schema, [], page_limit=100)
    costs = RememberedCosts(counted)
    documents = [parse(QUERY), parse(QUERY)]

    found = [asked(costs, one, first) for _ in range(5) for one in documents for first in (1, 90)]

    assert len(set(found)) == 2
    assert counted.computed == 4


def test_a_variable_that_no_cost_comes_from_is_no_other_question() -> None:
    counted = CountedCosts(graphql_schema, [], page_limit=100)
    costs = RememberedCosts(counted)
    document = parse("query($r: String!, $first: Int) {" + CHANGES.format("$r") + "}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    found = {
        costs.requested(document, operation, {"r": f"C-{number}", "first": first})
        for number in range(100)
        for first in (1, 90)
    }

    assert len(found) == 2
    assert counted.computed <= 4


@given(
    st.lists(
        st.fixed_dictionaries(
            {"a": st.booleans(), "r": st.sampled_from(["C-1", "C-2"])},
            optional={
                "b": st.sampled_from([True, False, None]),
                "first": st.sampled_from([None, 1, 5, 90, 10**30, "x"]),
                "more": st.sampled_from([1, 70]),
            },
        ),
        max_size=12,
    )
)
def test_whatever_was_asked_before_it_costs_what_it_costs(asked: list[dict[str, Any]]) -> None:
    plain = Costs(graphql_schema, [], page_limit=100)
    costs = RememberedCosts(plain)
    document = parse(
        "query($a: Boolean!, $b: Boolean = true, $r: String!, $first: Int = 7, $more: Int) {"
        + CHANGES.format("$r")
        + "other: customer(reference: $r) @include(if: $a) {"
        + " payments(first: $more) @skip(if: $b) { nodes { id } } } }"
    )
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)

    for variables in asked:
        told = costs.requested(document, operation, variables)
        assert told == plain.requested(document, operation, variables)


def test_many_variables_are_not_kept_and_odd_ones_cost_what_they_cost() -> None:
    counted = CountedCosts(graphql_schema, [], page_limit=100)
    costs = RememberedCosts(counted)
    document = parse(QUERY)
    odd = 10**30

    assert asked(costs, document, odd) == asked(costs, document, odd)
    for first in range(1000):
        asked(costs, document, first)
    assert len(next(iter(costs._known.values())).costs) <= 64


def test_what_a_document_cost_is_forgotten_with_it() -> None:
    costs = RememberedCosts(Costs(graphql_schema, [], page_limit=100))
    document = parse(QUERY)
    asked(costs, document, 1)

    assert costs._known
    del document
    gc.collect()
    assert not costs._known
