"""What an operation costs is computed once for equal variables, and forgotten with it."""

import gc
from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode, parse

from app.api.costs.costs import Costs
from app.api.costs.remembered import RememberedCosts
from app.api.execution import graphql_schema

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


def test_many_variables_are_not_kept_and_odd_ones_cost_what_they_cost() -> None:
    counted = CountedCosts(graphql_schema, [], page_limit=100)
    costs = RememberedCosts(counted)
    document = parse(QUERY)
    odd = 10**30

    assert asked(costs, document, odd) == asked(costs, document, odd)
    for first in range(1000):
        asked(costs, document, first)
    assert len(next(iter(costs._known.values()))) <= 64


def test_what_a_document_cost_is_forgotten_with_it() -> None:
    costs = RememberedCosts(Costs(graphql_schema, [], page_limit=100))
    document = parse(QUERY)
    asked(costs, document, 1)

    assert costs._known
    del document
    gc.collect()
    assert not costs._known
