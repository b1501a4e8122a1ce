"""Resolvers of Strawberry of which nothing is wanted but that a function is called."""

from collections.abc import Callable
from functools import partial
from inspect import iscoroutinefunction, isfunction
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema
from graphql.execution.values import VariableValues
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from app.api.compiling.arguments import Arguments

CONVERTER = "strawberry.schema.schema_converter"
_WITHIN = f"{GraphQLCoreConverter.from_resolver.__qualname__}.<locals>"
_OF_ATTRIBUTES = f"{_WITHIN}._get_basic_result"
_OF_FUNCTIONS = {f"{_WITHIN}._resolver", f"{_WITHIN}._async_resolver"}
# Strawberry calls a resolver by names of its own; whose parameters are named so is called by it.
_TAKEN = {"info", "_source"}


class Resolver(NamedTuple):
    """The function behind a field: where it takes its object, and what is known of the request."""

    function: Callable[..., Any]
    is_async: bool
    field: StrawberryField
    converter: GraphQLCoreConverter
    by_position: bool
    by_names: tuple[str, ...]
    info_name: str | None

    @property
    def takes_itself_alone(self) -> bool:
        """Say whether it takes nothing but its object and the arguments of the document."""
        return self.by_position and not self.by_names and self.info_name is None


class Call:
    """A resolver with the arguments that one field of a document gives it."""

    def __init__(self, resolver: Resolver, definition: GraphQLField, node: FieldNode) -> None:
        self.definition = definition
        self.is_async = resolver.is_async
        self._resolver = resolver
        self._info_class = resolver.converter.config.info_class
        self._arguments = Arguments(resolver.converter, definition, resolver.field, node)

    def bound(
        self, source: object, info: GraphQLResolveInfo[Any], variables: VariableValues
    ) -> Callable[[], Any] | None:
        """Return what calls it; None where the stock executor has to tell why it cannot be."""
        function, _, field, _, by_position, by_names, info_name = self._resolver
        told = self._info_class(_raw_info=info, _field=field)
        try:
            given = self._arguments.given(variables, told)
        except Exception:  # noqa: BLE001 - whatever it is, the stock executor meets it again
            return None
        for name in by_names:
            given[name] = source
        if info_name is not None:
            given[info_name] = told
        return partial(function, source, **given) if by_position else partial(function, **given)


def call_of(schema: GraphQLSchema, parent: GraphQLObjectType, node: FieldNode) -> Call | None:
    """Return how the resolver of a field is called; None where that is for the stock executor."""
    definition = schema.get_field(parent, node.name.value)
    resolver = resolver_of(schema, definition) if definition else None
    return Call(resolver, definition, node) if definition and resolver else None


def attribute_of(definition: GraphQLField) -> str | None:
    """Return the attribute that a field of Strawberry is read from; None where it is not so."""
    field = _strawberrys(definition)
    if field is None or getattr(definition.resolve, "__qualname__", "") != _OF_ATTRIBUTES:
        return None
    is_getattr = field.default_resolver is getattr and field.is_basic_field
    return field.python_name if is_getattr else None


def resolver_of(schema: GraphQLSchema, definition: GraphQLField) -> Resolver | None:
    """Return the function behind a field; None where more is done than to call one."""
    field, of = _strawberrys(definition), getattr(schema, "_strawberry_schema", None)
    name = getattr(definition.resolve, "__qualname__", "")
    if field is None or of is None or name not in _OF_FUNCTIONS:
        return None
    if of.schema_converter._get_field_exception_handlers(field):  # noqa: SLF001 - it has no other name
        return None
    base = field.base_resolver
    function = _function_of(base) if base else None
    if base is None or function is None:
        return None
    parameters = (base.parent_parameter, base.root_parameter)
    by_names = tuple(one.name for one in parameters if one)
    info_name = base.info_parameter.name if base.info_parameter else None
    if not _TAKEN.isdisjoint((*by_names, *(one.python_name for one in field.arguments))):
        return None
    return Resolver(
        function,
        base.is_async,
        field,
        of.schema_converter,
        base.self_parameter is not None,
        by_names,
        info_name,
    )


def _function_of(base: StrawberryResolver[Any]) -> Callable[..., Any] | None:
    """Return the function that a resolver calls; None for one that yields or does more."""
    function = base.wrapped_func
    if type(base) is not StrawberryResolver or not isfunction(function):
        return None
    return function if not base.is_async or iscoroutinefunction(function) else None


def _strawberrys(definition: GraphQLField) -> StrawberryField | None:
    """Return Strawberry's field where its resolver is Strawberry's own."""
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(field, StrawberryField) or field.extensions:
        return None
    if type(field).get_result is not StrawberryField.get_result:
        return None
    return field if getattr(definition.resolve, "__module__", "") == CONVERTER else None
