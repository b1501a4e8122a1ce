"""Fragments, directives and types in the cost, and how long it takes to tell."""

from time import thread_time

from asking_price import COSTS, CUSTOMER, SCHEMA, price
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    parse,
)

from app.api.costs.costs import MOST, Costs


def test_an_object_under_another_name_costs_another_row() -> None:
    row = "{ customers(first: 10) { nodes { accounts { %s } } } }"
    plain = price(row % "label provider { name }")
    named = price(row % "label provider { name } again: provider { name } third: provider { name }")

    # Ten customers have three accounts each.
    assert named == plain + 2 * 10 * 3


def test_of_an_object_that_may_be_several_things_the_dearest_counts() -> None:
    customer = "... on Customer { creditChanges(first: 100) { nodes { id } } }"
    account = "... on Account { balance { state } }"

    both = price(f'{{ node(id: "x") {{ {customer} {account} }} }}')
    assert both == price(f'{{ node(id: "x") {{ {customer} }} }}')
    assert both > price(f'{{ node(id: "x") {{ {account} }} }}')
    both_are = f"... on Node {{ {customer} {customer} }}"
    assert price(f'{{ node(id: "x") {{ {both_are} }} }}') == 2 * both - 1


def test_what_is_left_out_costs_nothing() -> None:
    query = """query($yes: Boolean!, $no: Boolean = false) { viewer { subject }
      a: customers @include(if: $no) { nodes { id } }
      b: customers @skip(if: $yes) { nodes { id } }
      ... @include(if: false) { c: customers { nodes { id } } }
      ...F @skip(if: true) }
      fragment F on Query { d: customers { nodes { id } } }"""

    assert price(query, {"yes": True}) == 1
    assert price(query, {"yes": False}) == 53
    assert price(query, {"yes": "true"}) == 53  # no boolean: it is refused later
    assert price(query, {"yes": True, "no": True}) == 53


def test_an_operation_costs_at_least_one() -> None:
    assert price("{ __typename }") == 1
    assert Costs(SCHEMA, [], page_limit=100).requested(*first("{ providers { name } }"), {}) == 1


def first(query: str) -> tuple[DocumentNode, OperationDefinitionNode]:
    document = parse(query)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return document, operation


def bomb(fragments: int) -> str:
    """Return a document whose every fragment spreads the next one twice."""
    spreads = "".join(
        f"fragment F{n} on Customer {{ ...F{n + 1} ...F{n + 1} }} " for n in range(fragments)
    )
    last = f"fragment F{fragments} on Customer {{ accounts {{ id }} }}"
    return f"{{ {CUSTOMER} {{ ...F0 }} }} {spreads} {last}"


def test_the_fragment_bomb_takes_no_time_and_costs_more_than_anybody_has() -> None:
    document, operation = first(bomb(49))
    began = thread_time()
    cost = COSTS.requested(document, operation, {})

    assert thread_time() - began < 0.1
    assert cost == MOST
    assert price(bomb(3)) == 1 + 8 * 4


def test_a_document_four_times_as_long_takes_about_four_times_as_long() -> None:
    def seconds(fragments: int) -> float:
        document, operation = first(bomb(fragments))
        times = []
        for _ in range(5):
            began = thread_time()
            COSTS.requested(document, operation, {})
            times.append(thread_time() - began)
        return min(times)

    assert seconds(120) < 12 * seconds(30)
    # Whoever looks at each spread again takes twice as long for each fragment more.
    assert spreads_looked_at(first(bomb(16))[0]) > 1000 * spreads_looked_at(first(bomb(4))[0])


def spreads_looked_at(document: DocumentNode) -> int:
    """Return how many spreads a walk meets that remembers nothing."""
    of = {
        one.name.value: [
            spread.name.value
            for spread in one.selection_set.selections
            if isinstance(spread, FragmentSpreadNode)
        ]
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }

    def walk(name: str) -> int:
        return sum(1 + walk(inner) for inner in of[name])

    return walk("F0")


def test_a_fragment_within_itself_comes_to_an_end() -> None:
    query = f"{{ {CUSTOMER} {{ ...F }} }} fragment F on Customer {{ accounts {{ id }} ...F }}"

    assert price(query) == 5


def test_a_document_nested_too_deeply_costs_more_than_anybody_has() -> None:
    document, operation = first(bomb(600))

    assert COSTS.requested(document, operation, {}) == MOST
