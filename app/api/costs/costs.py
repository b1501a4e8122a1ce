"""An operation's cost, estimated from what is written and the variables alone."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from app.api.costs.arguments import Arguments, Variables
from app.api.costs.table import INTROSPECTION, PLAIN, TABLE, Configured
from app.providers.page import Capability

# Far above any limit; beyond it nobody asks how much more it would be.
MOST = 10**12


class Costs:
    """Tells what operations cost that ask these providers, each known by its capabilities.

    `page_limit` is the largest page that is served.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        providers: Iterable[Collection[Capability]],
        *,
        page_limit: int,
    ) -> None:
        self._schema = schema
        served = [one for capabilities in providers for one in (None, *capabilities)]
        self._configured = Configured(
            accounts=served.count(None),
            credit_changes=served.count(Capability.CREDIT_CHANGES),
            payments=served.count(Capability.PAYMENTS),
            balances=served.count(Capability.BALANCE),
            page_limit=page_limit,
        )

    def requested(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        """Return what an operation costs, at least 1; raises nothing, whatever the variables are.

        It is the same for the same document and variables, whoever asks and whatever is stored.
        What `@skip` and `@include` leave out costs nothing. Asking twice for one thing, by two
        aliases or in two fragments, costs twice.
        """
        root = self._schema.get_root_type(operation.operation)
        if root is None:
            return 1
        estimate = _Estimate(self._schema, self._configured, document, operation, variables)
        try:
            cost = estimate.selection(operation.selection_set, root)
        except RecursionError:
            return MOST
        return max(1, min(cost.fixed, MOST))


class _Cost(NamedTuple):
    """A part that is certain, and one for each row that a field above will tell the number of."""

    fixed: int = 0
    for_each: int = 0

    def plus(self, other: "_Cost") -> "_Cost":
        return _Cost(min(self.fixed + other.fixed, MOST), min(self.for_each + other.for_each, MOST))

    def times(self, count: int) -> "_Cost":
        return _Cost(min(self.fixed * count, MOST), min(self.for_each * count, MOST))


_FREE = _Cost()


class _Estimate:
    """One operation's; each selection is looked at once for each type that it is applied to."""

    def __init__(
        self,
        schema: GraphQLSchema,
        configured: Configured,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._configured = configured
        self._variables = Variables(operation, variables)
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self._known: dict[tuple[int, str], _Cost] = {}

    def selection(
        self, chosen: SelectionSetNode, kind: GraphQLObjectType | GraphQLAbstractType
    ) -> _Cost:
        """Return what one object costs; of an abstract type the dearest that it may be."""
        if not isinstance(kind, GraphQLObjectType):
            each = [self.selection(chosen, one) for one in self._schema.get_possible_types(kind)]
            return _Cost(
                max((one.fixed for one in each), default=0),
                max((one.for_each for one in each), default=0),
            )
        key = (id(chosen), kind.name)
        if key not in self._known:
            # A fragment within itself is refused by validation; here it must only come to an end.
            self._known[key] = _FREE
            cost = _FREE
            for one in chosen.selections:
                cost = cost.plus(self._selected(one, kind))
            self._known[key] = cost
        return self._known[key]

    def _selected(self, node: SelectionNode, kind: GraphQLObjectType) -> _Cost:
        if self._is_left_out(node.directives or ()):
            return _FREE
        if isinstance(node, FieldNode):
            return self._field(node, kind)
        fragment: SelectionNode | FragmentDefinitionNode | None = node
        if isinstance(node, FragmentSpreadNode):
            fragment = self._fragments.get(node.name.value)
        if not isinstance(fragment, (InlineFragmentNode, FragmentDefinitionNode)):
            return _FREE
        if fragment.type_condition and not self._is(kind, fragment.type_condition.name.value):
            return _FREE
        return self.selection(fragment.selection_set, kind)

    def _field(self, node: FieldNode, kind: GraphQLObjectType) -> _Cost:
        name = node.name.value
        if name in {"__schema", "__type"}:
            return _Cost(INTROSPECTION)
        field = kind.fields.get(name)
        if field is None:
            return _FREE
        weight = TABLE.get(f"{kind.name}.{name}", PLAIN)
        arguments = Arguments(node, self._variables)
        of = get_named_type(field.type)
        below = _FREE
        if node.selection_set and (is_object_type(of) or is_abstract_type(of)):
            below = self.selection(node.selection_set, of)
        if weight.as_above:
            # Between two such lists there is always a field with a scale of its own.
            below = _Cost(0, below.fixed + 1)
        elif weight.rows:
            below = _Cost(1).plus(below).times(weight.rows(self._configured, arguments))
        if weight.scale:
            scale = weight.scale(self._configured, arguments)
            below = _Cost(below.fixed).plus(_Cost(below.for_each).times(scale))
        cost = _Cost(weight.own(self._configured, arguments)).plus(below)
        # What a row holds is written with it, once; another name has it written once more.
        return _Cost(1).plus(cost) if node.alias and node.selection_set else cost

    def _is(self, kind: GraphQLObjectType, name: str) -> bool:
        named = self._schema.type_map.get(name)
        if isinstance(named, GraphQLInterfaceType) or is_abstract_type(named):
            return self._schema.is_sub_type(named, kind)
        return name == kind.name

    def _is_left_out(self, directives: Iterable[DirectiveNode]) -> bool:
        leaves_out = {"skip": True, "include": False}
        return any(
            Arguments(one, self._variables).value("if") is leaves_out[one.name.value]
            for one in directives
            if one.name.value in leaves_out
        )
