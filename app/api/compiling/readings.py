"""Which fields are read by an attribute's name alone, and for which classes that is all."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import GeneratorType, MemberDescriptorType
from typing import Any, NamedTuple

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLSchema, Undefined
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from app.api.compiling.arguments import Arguments
from app.api.compiling.resolvers import CONVERTER, Resolver, attribute_of, resolver_of

# A resolver of Strawberry whose field has this in its metadata takes nothing but `self` and the
# field's arguments, changes nothing, and gives the same each time: it may be called twice.
REPEATABLE = "repeatable"
# Where the metadata of such a field has this too, the resolver does nothing but give what lies
# there: names of attributes, with dots between them.
ATTRIBUTES = "attributes"
# Where a field that is read by an attribute has this in its metadata, many objects have the same
# one there: it is completed once while a compiled function runs, and all have that in the answer.
SHARED = "shared"

# A program has few classes for one type; classes made at run time are not kept for ever.
MOST_CLASSES = 50


class Reading(NamedTuple):
    """How a field is read: by an attribute, which `may_be_key` of a dict, or by a function.

    The function takes `arguments` beside its object; None where it takes none. What it would do is
    known where `attributes` are. What it gives `is_shared` where it is the same for many objects.
    """

    attribute: str
    may_be_key: bool
    function: Callable[..., Any] | None = None
    arguments: Arguments | None = None
    attributes: str | None = None
    is_shared: bool = False


# Slots, fields of named tuples, and what is computed once.
_NO_PROPERTIES = (MemberDescriptorType, type(Reading.attribute), cached_property)


def reading_of(schema: GraphQLSchema, field: GraphQLField, node: FieldNode) -> Reading | None:
    """Return how a field is read; None where that is a resolver's affair."""
    if field.resolve is None:
        is_plain_field = not field.args and not node.arguments
        return Reading(node.name.value, may_be_key=True) if is_plain_field else None
    attribute = attribute_of(field)
    if attribute is not None:
        if node.arguments:
            return None
        known = field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
        is_shared = bool(known.metadata.get(SHARED))
        return Reading(attribute, may_be_key=False, is_shared=is_shared)
    resolver = resolver_of(schema, field)
    if resolver is None or not resolver.field.metadata.get(REPEATABLE):
        return None
    return _repeatable(resolver, field, node)


def _repeatable(resolver: Resolver, field: GraphQLField, node: FieldNode) -> Reading | None:
    if resolver.is_async or not resolver.takes_itself_alone:
        return None
    name, function = resolver.field.python_name, resolver.function
    attributes = resolver.field.metadata.get(ATTRIBUTES)
    reading = Reading(name, may_be_key=False, function=function, attributes=attributes)
    if not field.args and not node.arguments:
        return reading
    arguments = Arguments(resolver.converter, field, resolver.field, node)
    return reading._replace(arguments=arguments) if arguments.are_leaves else None


def is_plain(cls: type, attributes: Iterable[str]) -> bool:
    """Say whether reading these attributes runs no code but that of Python's own objects.

    An instance is nothing that the executor treats specially either: no error, nothing to be
    called, awaited or read by keys.
    """
    if issubclass(cls, (Exception, Mapping, GeneratorType, type(None), type(Undefined))):
        return False
    if cls.__getattribute__ is not object.__getattribute__:
        return False
    special = ("__getattr__", "__await__", "__call__")
    if any(_found(cls, name) is not None for name in special):
        return False
    if _found(cls, "__class__") is not object.__dict__["__class__"]:
        return False
    return all(_is_plain_attribute(_found(cls, name)) for name in attributes)


def _is_plain_attribute(found: object) -> bool:
    return isinstance(found, _NO_PROPERTIES) or not hasattr(type(found), "__get__")


def _found(cls: type, name: str) -> object:
    """Return what a class or its bases hold under a name, as it is; None for nothing."""
    return next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)


def is_marked(instance: object) -> bool:
    """Say whether `strawberry.cast` told this object's type."""
    return hasattr(instance, TYPE_CAST_ATTRIBUTE)


def checks_type(type_: GraphQLObjectType) -> bool | None:
    """Say whether the type looks at a value's class first; None where it may look at more."""
    if type_.is_type_of is None:
        return False
    known = f"{GraphQLCoreConverter.from_object.__qualname__}.<locals>._get_is_type_of.<locals>"
    is_known = getattr(type_.is_type_of, "__qualname__", "") == f"{known}.is_type_of"
    return True if is_known and type_.is_type_of.__module__ == CONVERTER else None
