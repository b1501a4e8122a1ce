"""Executions begin as the stock executor's: operations are chosen and variables read alike."""

from typing import Any

import pytest
from comparing import Told, told
from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    InlineFragmentNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    build_schema,
    execute,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from app.api import executor
from app.api.compiling.beginning import Beginning, beginning_of
from app.api.executor import CompilingExecutor, Operations

SCHEMA = build_schema(
    """
    scalar Odd
    enum Hue { RED GREEN }
    input Point { x: Int = 3 y: Float }
    type Query { said(s: String, i: Int, f: Float, b: Boolean, d: ID, o: Odd, h: Hue,
      l: [Int], p: Point): String }
    type Mutation { a: String b: String }
    """
)
TYPES = ["String", "Int", "Float", "Boolean", "ID", "Odd", "Hue", "[Int]", "Point"]
ARGUMENTS = dict(zip(TYPES, "sifbdohlp", strict=True))
DEFAULTS = {"String": '"x"', "Int": "7", "Boolean": "true", "ID": "9", "[Int]": "[1]"}
VALUES: list[object] = [
    *(None, "", "x", "7", 0, 7, -7, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 1.0, 1.5),
    *(True, False, [], [1, None], ["x"], {}, {"x": 1}, {"z": 1}, "RED", b"x", float("nan")),
]


class Root:
    def said(self, _info: object, **given: object) -> str:
        return repr(given)

    def a(self, _info: object) -> str:
        return "a"

    b = a


def answers(
    operations: Operations,
    text: str,
    variables: dict[str, Any],
    name: str | None = None,
) -> tuple[Told, ...]:
    """Return what the stock executor answers, and ours in both ways of asking it, twice."""
    document = parse(text)
    asked = (SCHEMA, document, Root(), None, variables, name)
    ours: dict[str, Any] = {"executor_class": CompilingExecutor, "operations": operations}
    found = [execute(*asked)]
    for _ in range(2):
        found += [execute(*asked, **ours), executor.execute(*asked, operations=operations)]
    return tuple(told(one) for one in found if isinstance(one, ExecutionResult))


@given(
    type_=st.sampled_from(TYPES),
    is_required=st.booleans(),
    has_default=st.booleans(),
    value=st.sampled_from([*VALUES, ...]),
)
def test_variables_are_read_alike(
    *, type_: str, is_required: bool, has_default: bool, value: object
) -> None:
    default = f" = {DEFAULTS[type_]}" if has_default and type_ in DEFAULTS else ""
    declared = f"${ARGUMENTS[type_]}: {type_}{'!' if is_required else ''}{default}"
    name = ARGUMENTS[type_]
    text = f"query({declared}) {{ said({name}: ${name}) }}"
    variables = {"other": 1} if value is ... else {name: value}

    stock, *ours = answers(Operations(SCHEMA), text, variables)

    assert len(ours) == 4
    assert all(one == stock for one in ours)


DOCUMENTS = [
    ("{ said }", None),
    ("query A { said } query B { b: said }", "B"),
    ("query A { said } query B { b: said }", "C"),
    ("query A { said } query B { b: said }", None),
    ("query A { said } query A { b: said }", "A"),
    ("{ said } query B { b: said }", "B"),
    ("{ said }", "A"),
    ("fragment F on Query { said }", None),
    ("{ ...F } fragment F on Query { said }", None),
    ("query($x: Query) { said }", None),
    ("query($x: Nothing) { said }", None),
    ("mutation { b a b }", None),
    ("subscription { a }", None),
    ("{ said(i: 1.5) }", None),
    ("{ ...G }", None),
]


@pytest.mark.parametrize(("text", "name"), DOCUMENTS)
def test_operations_are_chosen_alike(text: str, name: str | None) -> None:
    stock, *ours = answers(Operations(SCHEMA), text, {}, name)

    assert len(ours) == 4
    assert all(one == stock for one in ours)


def test_what_is_nested_too_deeply_is_told_by_the_stock_executor() -> None:
    selected = SelectionSetNode(selections=(FieldNode(name=NameNode(value="said")),))
    for _ in range(3000):
        selected = SelectionSetNode(selections=(InlineFragmentNode(selection_set=selected),))
    operation = OperationDefinitionNode(operation=OperationType.QUERY, selection_set=selected)
    document = DocumentNode(definitions=(operation,))

    stock = execute(SCHEMA, document, Root())
    ours = executor.execute(SCHEMA, document, Root(), operations=Operations(SCHEMA))

    assert isinstance(stock, ExecutionResult)
    assert isinstance(ours, ExecutionResult)
    assert stock.errors
    assert told(ours) == told(stock)


def test_a_document_that_is_asked_for_by_many_names_remembers_only_its_own() -> None:
    operations, document = Operations(SCHEMA), parse("query A { said } query B { said }")

    for number in range(100):
        operations.beginning(SCHEMA, document, f"N{number}")
    begun = [operations.beginning(SCHEMA, document, name) for name in ("A", "N1", "B")]

    assert begun.count(None) >= 1
    assert len(operations._documents[id(document)].beginnings) < 5


def test_what_usual_requests_have_begins_without_the_stock_executor() -> None:
    document = parse("query($s: String!, $i: Int, $h: Hue) { said(s: $s, i: $i, h: $h) }")
    begun = beginning_of(SCHEMA, document, None)

    assert isinstance(begun, Beginning)
    usual, odd = begun.values({"s": "x", "i": 1}), begun.values({"s": "x", "h": "RED"})
    assert usual is not None
    assert usual.coerced == {"s": "x", "i": 1}
    assert odd is None
