"""How each execution of an operation begins, as far as that is the same each time."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLInt,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    assert_valid_schema,
    get_nullable_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import VariableValues, VariableValueSource

# What comes as such a type out of JSON is taken by the scalar as it is.
_TAKEN: Sequence[tuple[GraphQLNamedType, type]] = (
    (GraphQLString, str),
    (GraphQLID, str),
    (GraphQLBoolean, bool),
    (GraphQLInt, int),
)
_MOST_INT = 2**31 - 1
_LEAST_INT = -(2**31)


class _Variable(NamedTuple):
    """A declared variable; `taken` is None where the scalar has to look at each value."""

    signature: GraphQLVariableSignature
    taken: type | None
    is_required: bool
    has_default: bool


class Beginning(NamedTuple):
    """The operation that was chosen, and what it is executed with beside its variables."""

    operation: OperationDefinitionNode
    definitions: dict[str, FragmentDefinitionNode]
    fragments: dict[str, FragmentDetails]
    variables: Sequence[_Variable]

    def values(self, given: Mapping[str, Any]) -> VariableValues | None:
        """Return the variables coerced; None where the stock executor has to look."""
        sources: dict[str, VariableValueSource] = {}
        coerced: dict[str, Any] = {}
        for signature, taken, is_required, has_default in self.variables:
            name = signature.name
            value = given.get(name, Undefined)
            if value is Undefined:
                if is_required or has_default:
                    return None
                sources[name] = VariableValueSource(signature)
                continue
            if not (value is None and not is_required) and not _is_taken(value, taken):
                return None
            sources[name] = VariableValueSource(signature, value)
            coerced[name] = value
        return VariableValues(sources, coerced)


def _is_taken(value: object, taken: type | None) -> bool:
    if taken is int:
        return type(value) is int and _LEAST_INT <= value <= _MOST_INT
    return taken is not None and type(value) is taken


def beginning_of(
    schema: GraphQLSchema, document: DocumentNode, operation_name: str | None
) -> Beginning | None:
    """Return how executions begin; None where the stock executor has to tell why they cannot."""
    assert_valid_schema(schema)
    operations = [
        one
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode)
        and (operation_name is None or (one.name and one.name.value == operation_name))
    ]
    fragments = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
    if len(operations) != 1 or any(one.variable_definitions for one in fragments):
        return None
    signatures = [
        get_variable_signature(schema, one) for one in operations[0].variable_definitions or ()
    ]
    variables = [_variable(one) for one in signatures if not isinstance(one, GraphQLError)]
    if len(variables) != len(signatures):
        return None
    return Beginning(
        operations[0],
        {one.name.value: one for one in fragments},
        {one.name.value: FragmentDetails(one, None) for one in fragments},
        variables,
    )


def _variable(signature: GraphQLVariableSignature) -> _Variable:
    of = get_nullable_type(signature.type)
    taken = next((taken for type_, taken in _TAKEN if of is type_), None)
    has_default = signature.default is not None
    return _Variable(signature, taken, is_non_null_type(signature.type), has_default)


# What `execute` gives beside an operation and its variables where it was given nothing else.
_USUAL_ARGUMENTS = (None, None, None, 50, False, None, None, None)
_USUAL_OPTIONS = {"hide_suggestions": False, "abort_signal": None, "hooks": None}


def are_usual(arguments: tuple[object, ...], options: Mapping[str, object]) -> bool:
    """Say whether nothing is asked for of an executor beyond an operation and its variables."""
    return arguments in ((), _USUAL_ARGUMENTS) and options in ({}, _USUAL_OPTIONS)
