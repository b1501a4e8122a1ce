"""
What the operations of a document amount to once their fragments are spread out.

A fragment is counted once, however often it is spread, so the time is linear in the document. No
call is nested, so no document is too deep to be counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

# Doubled spreads double a count with each fragment: counts stop here, where sums are still quick.
MANY = 1_000_000
_INTROSPECTION = {"__schema", "__type"}


class _Place(NamedTuple):
    """Where a selection set stands; `depth` is the fields above it, from introspection's on."""

    depth: int
    introspecting: bool
    at_root: bool


_ROOT = _Place(depth=0, introspecting=False, at_root=True)


@dataclass
class Counts:
    """How much there is of what; a number that is `MANY` means as many or more.

    `depth` is of fields below each other outside of introspection, `introspection_depth` of those
    from a `__schema` or `__type` on, as are `introspection_aliases`, which are among `aliases`.
    `spreads` are those not counted yet.
    """

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    introspection_aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    fields: int = 0
    spreads: list[tuple[str, _Place]] = field(default_factory=list)


def count_operations(document: DocumentNode) -> Iterator[tuple[OperationDefinitionNode, Counts]]:
    """Yield each operation with its counts, as only one of them is executed.

    A fragment that no operation spreads is not counted; nor is the spread that closes a circle,
    nor one of a fragment that is not there. Validation refuses all three.
    """
    fragments = {
        definition.name.value: _read(definition)
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    counted = _count_fragments(fragments)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            yield definition, _spread_out(_read(definition), counted)


def _count_fragments(fragments: Mapping[str, Counts]) -> dict[str, Counts]:
    """Count each fragment after those that it spreads."""
    counted: dict[str, Counts] = {}
    begun: set[str] = set()
    waiting = list(fragments)
    while waiting:
        name = waiting[-1]
        if name in begun:
            waiting.pop()
            if name not in counted:
                counted[name] = _spread_out(fragments[name], counted)
            continue
        begun.add(name)
        waiting.extend(
            spread
            for spread, _ in fragments[name].spreads
            if spread in fragments and spread not in begun
        )
    return counted


def _read(definition: OperationDefinitionNode | FragmentDefinitionNode) -> Counts:
    """Count what a definition has itself."""
    counts = Counts(directives=len(definition.directives or ()))
    for variable in definition.variable_definitions or ():
        counts.directives += len(variable.directives or ())
    waiting = [(definition.selection_set, _ROOT)]
    while waiting:
        waiting.extend(_read_selections(*waiting.pop(), counts))
    return counts


def _read_selections(
    selection_set: SelectionSetNode, place: _Place, counts: Counts
) -> Iterator[tuple[SelectionSetNode, _Place]]:
    """Count the selections; yields what is selected below them, and where that stands."""
    for selection in selection_set.selections:
        counts.directives += len(selection.directives or ())
        if isinstance(selection, FragmentSpreadNode):
            counts.spreads.append((selection.name.value, place))
            continue
        below = place
        if isinstance(selection, FieldNode):
            below = _count_field(selection, place, counts)
        nested: SelectionSetNode | None = getattr(selection, "selection_set", None)
        if nested:
            yield nested, below


def _count_field(node: FieldNode, place: _Place, counts: Counts) -> _Place:
    counts.fields += 1
    counts.root_fields += place.at_root
    # One in another begins anew, as it does in a fragment; validation refuses it.
    enters = node.name.value in _INTROSPECTION
    below = _Place(
        depth=1 if enters else place.depth + 1,
        introspecting=place.introspecting or enters,
        at_root=False,
    )
    counts.aliases += node.alias is not None
    counts.introspection_aliases += node.alias is not None and below.introspecting
    _deepen(counts, below.depth, below)
    return below


def _deepen(counts: Counts, depth: int, place: _Place) -> None:
    if place.introspecting:
        counts.introspection_depth = max(counts.introspection_depth, depth)
    else:
        counts.depth = max(counts.depth, depth)


def _spread_out(definition: Counts, fragments: Mapping[str, Counts]) -> Counts:
    """Add what a definition spreads to what it has itself."""
    counts = replace(definition, spreads=[])
    for name, place in definition.spreads:
        fragment = fragments.get(name)
        if fragment is None:
            continue
        _deepen(counts, place.depth + fragment.depth, place)
        counts.introspection_depth = max(counts.introspection_depth, fragment.introspection_depth)
        counts.aliases = min(MANY, counts.aliases + fragment.aliases)
        counts.introspection_aliases = min(
            MANY,
            counts.introspection_aliases
            + (fragment.aliases if place.introspecting else fragment.introspection_aliases),
        )
        counts.directives = min(MANY, counts.directives + fragment.directives)
        counts.fields = min(MANY, counts.fields + fragment.fields)
        if place.at_root:
            counts.root_fields = min(MANY, counts.root_fields + fragment.root_fields)
    return counts
