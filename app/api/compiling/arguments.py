"""The arguments of a field of Strawberry, from a document and its variables to those of Python."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from graphql import (
    ArgumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    ValueNode,
    VariableNode,
    is_non_null_type,
    is_required_argument,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Undefined
from strawberry.relay import GlobalID
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import (
    StrawberryArgument,
    _is_leaf_type,
    _is_optional_leaf_type,
    convert_argument,
)
from strawberry.types.field import StrawberryField

from app.api.compiling.oddity import Odd
from app.api.compiling.walking import variables_of

_ABSENT = object()
# Nobody can change such a value, so that all executions may have the same.
_IMMUTABLE = (str, int, float, bool, type(None), Decimal, Enum)

_Coerce = Callable[[VariableValues], dict[str, Any]]


class _Conversion(NamedTuple):
    """What Strawberry does with an argument: `convert` is None where it gives it on as it is."""

    name: str
    python_name: str
    convert: Callable[..., object] | None


class _Variable(NamedTuple):
    """An argument that is a variable and no more."""

    name: str
    variable: str
    must_be_there: bool
    must_be_no_null: bool


class Arguments:
    """The arguments of one field of a document; they are the same for the same variables."""

    def __init__(
        self,
        converter: GraphQLCoreConverter,
        definition: GraphQLField,
        field: StrawberryField,
        node: FieldNode,
    ) -> None:
        self._coerced = _coerce(definition, node)
        self._conversions = [_conversion(converter, one) for one in field.arguments]

    @property
    def are_leaves(self) -> bool:
        """Say whether Strawberry makes nothing of its own of them."""
        return all(one.convert is None for one in self._conversions)

    def given(self, variables: VariableValues, info: object = None) -> dict[str, Any]:
        """Return them by their names in Python; raises where the stock executor has to look."""
        coerced = self._coerced(variables)
        given: dict[str, Any] = {}
        for name, python_name, convert in self._conversions:
            if name in coerced:
                value = coerced[name]
                given[python_name] = convert(value, info=info) if convert else value
        return given


def _conversion(converter: GraphQLCoreConverter, argument: StrawberryArgument) -> _Conversion:
    name = converter.config.name_converter.from_argument(argument)
    type_, scalars = argument.type, converter.scalar_registry
    if _is_leaf_type(type_, scalars, (GlobalID,)) or _is_optional_leaf_type(
        type_, scalars, (GlobalID,)
    ):
        return _Conversion(name, argument.python_name, None)
    convert = partial(
        convert_argument,
        type_=type_,
        scalar_registry=scalars,
        config=converter.config,
        path=(name,),
    )
    return _Conversion(name, argument.python_name, convert)


def _coerce(definition: GraphQLField, node: FieldNode) -> _Coerce:
    """Return what coerces the arguments; what is the same for all variables is coerced now."""
    nodes = {one.name.value: one for one in node.arguments or ()}

    def stock(variables: VariableValues) -> dict[str, Any]:
        return get_argument_values(definition, node, variables)

    if any(argument.out_name for argument in definition.args.values()):
        return stock
    variables = [
        _variable(name, argument, nodes[name].value)
        for name, argument in definition.args.items()
        if name in nodes and isinstance(nodes[name].value, VariableNode)
    ]
    of_variables = {one.name for one in variables}
    rest = [one for name, one in nodes.items() if name not in of_variables]
    if any(True for one in rest for _ in variables_of(one)):
        return stock
    try:
        constants = _constants(definition, variables, node, rest)
    except Exception:  # noqa: BLE001 - whatever it is, the stock executor meets it each time
        return stock
    if not all(map(_is_constant, constants.values())):
        return stock
    return _quick(constants, variables)


def _constants(
    definition: GraphQLField,
    variables: Sequence[_Variable],
    node: FieldNode,
    rest: Sequence[ArgumentNode],
) -> dict[str, Any]:
    """Coerce what is written as it is meant, and defaults, also those of absent variables."""
    needed = {one.name for one in variables if one.must_be_there}
    others = {name: one for name, one in definition.args.items() if name not in needed}
    return get_argument_values(
        GraphQLField(definition.type, others),
        FieldNode(name=node.name, arguments=tuple(rest)),
        VariableValues({}, {}),
    )


def _variable(name: str, argument: GraphQLArgument, value: ValueNode) -> _Variable:
    assert isinstance(value, VariableNode)  # noqa: S101 - as whoever calls this has seen
    return _Variable(
        name,
        value.name.value,
        is_required_argument(argument),
        is_non_null_type(argument.type),
    )


def _quick(constants: dict[str, Any], variables: Sequence[_Variable]) -> _Coerce:
    if not variables:
        return lambda _: constants

    def coerced(values: VariableValues) -> dict[str, Any]:
        found = constants.copy()
        for name, variable, must_be_there, must_be_no_null in variables:
            value = values.coerced.get(variable, _ABSENT)
            if value is _ABSENT:
                if must_be_there:
                    raise Odd
            elif must_be_no_null and (value is None or value is Undefined):
                raise Odd
            else:
                found[name] = value
        return found

    return coerced


def _is_constant(value: object) -> bool:
    # Strawberry gives a copy of a list to each resolver.
    if type(value) is list:
        return all(map(_is_constant, value))
    return isinstance(value, _IMMUTABLE)
