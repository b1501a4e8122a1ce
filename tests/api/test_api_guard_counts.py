"""Counts are those of the document with its fragments spread out, found in linear time."""

import sys
from collections.abc import Callable
from dataclasses import astuple
from types import FrameType
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from app.api.guard_counts import MANY, Counts, count_operations

_FRAGMENTS = 3


def spread_out(document: DocumentNode) -> Counts:
    """Count by writing every fragment out wherever it is spread, which takes exponential time."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    counts = Counts()

    def count(selections: SelectionSetNode, depth: int, inside: int, *, at_root: bool) -> None:
        for selection in selections.selections:
            counts.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                fragment = fragments.get(selection.name.value)
                if fragment:
                    counts.directives += len(fragment.directives or ())
                    count(fragment.selection_set, depth, inside, at_root=at_root)
            elif isinstance(selection, FieldNode):
                enters = selection.name.value in {"__schema", "__type"}
                inner = 1 if enters else inside + 1 if inside else 0
                outer = depth if inner else depth + 1
                counts.fields += 1
                counts.root_fields += at_root
                counts.aliases += bool(selection.alias)
                counts.introspection_aliases += bool(selection.alias and inner)
                counts.introspection_depth = max(counts.introspection_depth, inner)
                counts.depth = max(counts.depth, outer)
                if selection.selection_set:
                    count(selection.selection_set, outer, inner, at_root=False)
            else:
                nested = getattr(selection, "selection_set", None)
                assert isinstance(nested, SelectionSetNode)
                count(nested, depth, inside, at_root=at_root)

    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    counts.directives += len(operation.directives or ())
    count(operation.selection_set, 0, 0, at_root=True)
    return counts


def selections(first_fragment: int) -> st.SearchStrategy[str]:
    """Write selections that spread fragments from a number on, or one that is not there."""
    marks = st.sampled_from(["", "@b", "@b @c"])
    spreads = st.builds("...F{} {}".format, st.integers(first_fragment, _FRAGMENTS), marks)
    names = st.sampled_from(["a", "b:a", "__schema", "c:__type", "__typename"])
    leaves = st.builds("{} {}".format, names, marks)

    def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(inner, min_size=1, max_size=2).map(" ".join)
        return st.one_of(
            st.builds("{} {}{{{}}}".format, names, marks, several),
            st.builds("...{}{{{}}}".format, st.sampled_from(["", "@b", "on T@b"]), several),
        )

    some = st.recursive(leaves | spreads, nested, max_leaves=4)
    return st.lists(some, min_size=1, max_size=3).map(" ".join)


# A fragment spreads those after it, so that none is in a circle.
SELECTIONS = [selections(number) for number in range(_FRAGMENTS + 1)]
FRAGMENTS = [
    st.builds(
        "fragment F{} on T {}{{{}}}".format,
        st.just(number),
        st.sampled_from(["", "@b"]),
        SELECTIONS[number + 1],
    )
    for number in range(_FRAGMENTS)
]
OPERATIONS = st.builds("query {}{{{}}}".format, st.sampled_from(["", "@b"]), SELECTIONS[0])
DOCUMENTS = st.tuples(
    OPERATIONS, st.tuples(*FRAGMENTS).flatmap(lambda all_: st.permutations(all_).map("".join))
).map("".join)


def counted(document: DocumentNode) -> Counts:
    ((_, counts),) = count_operations(document)
    return counts


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_the_counts_are_those_of_the_fragments_written_out(text: str) -> None:
    document = parse(text)

    expected = spread_out(document)

    assert astuple(counted(document)) == astuple(expected)


CIRCLES = {
    "itself": "{...A} fragment A on T{a ...A}",
    "each other": "{...A} fragment A on T{a{...B}} fragment B on T{a{...A}}",
    "all of them": "{...F0}"
    + "".join(
        f"fragment F{one} on T{{{' '.join(f'...F{other}' for other in range(30))}}}"
        for one in range(30)
    ),
    "what is not there": "{a ...A} fragment B on T{...A}",
}


@pytest.mark.parametrize("text", CIRCLES.values(), ids=CIRCLES)
def test_fragments_in_circles_and_unknown_ones_come_to_an_end(text: str) -> None:
    counts = counted(parse(text))

    assert counts.fields <= 2


def test_what_is_nested_as_deeply_as_can_be_parsed_is_counted() -> None:
    inline = parse("{" + "...{" * 198 + "a" + "}" * 199)
    chain = parse(
        "{...F0}"
        + "".join(f"fragment F{number} on T{{a{{...F{number + 1}}}}}" for number in range(5000))
    )

    assert counted(inline).depth == 1
    assert counted(chain).depth == 5000


def executed_lines(work: Callable[[], Any]) -> int:
    """Count the lines of Python that some work executes, whatever else a machine does."""
    lines = 0

    def trace(_: FrameType, event: str, __: object) -> Any:  # noqa: ANN401 - itself
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return lines


def bomb(fragments: int) -> DocumentNode:
    return parse(
        "{...F0}"
        + "".join(
            f"fragment F{number} on T{{...F{number + 1} ...F{number + 1}}}"
            for number in range(fragments)
        )
        + f"fragment F{fragments} on T{{a}}"
    )


SHAPES: dict[str, Callable[[int], DocumentNode]] = {
    "a bomb": bomb,
    "fields": lambda n: parse("{" + "b:a @b " * n + "}"),
    "inline fragments": lambda n: parse("{" + "...{a} " * n + "}"),
    "spreads of one fragment": lambda n: parse("{" + "...F " * n + "} fragment F on T{a{a{a}}}"),
    "a chain": lambda n: parse(
        "{...F0}" + "".join(f"fragment F{i} on T{{a ...F{i + 1}}}" for i in range(n))
    ),
    "operations": lambda n: parse(
        "".join(f"query Q{i}{{...F}}" for i in range(n)) + "fragment F on T{" + "a " * n + "}"
    ),
    "a circle": lambda n: parse(
        "{...F0}" + "".join(f"fragment F{i} on T{{...F{(i + 1) % n} ...F0}}" for i in range(n))
    ),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_twice_the_document_takes_twice_the_work(shape: Callable[[int], DocumentNode]) -> None:
    once, twice = shape(200), shape(400)

    ratio = executed_lines(lambda: list(count_operations(twice))) / executed_lines(
        lambda: list(count_operations(once))
    )

    assert ratio < 2.1


def test_writing_the_fragments_out_fails_that_check() -> None:
    once, twice = bomb(5), bomb(10)

    ratio = executed_lines(lambda: spread_out(twice)) / executed_lines(lambda: spread_out(once))

    assert ratio > 20


def test_the_numbers_of_a_bomb_stay_small() -> None:
    assert counted(bomb(2000)) == Counts(depth=1, fields=MANY, root_fields=MANY)
