"""Which fields are read by an attribute's name alone, and for which classes that is all."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from inspect import isfunction
from types import GeneratorType, MemberDescriptorType
from typing import Any, NamedTuple

from graphql import GraphQLField, GraphQLObjectType, Undefined
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.field import StrawberryField

# A resolver of Strawberry whose field has this in its metadata takes nothing but `self`, changes
# nothing, and gives the same each time: it may be called twice.
REPEATABLE = "repeatable"

# A program has few classes for one type; classes made at run time are not kept for ever.
MOST_CLASSES = 50

_CONVERTER = "strawberry.schema.schema_converter"


class Reading(NamedTuple):
    """How a field is read: by an attribute, which `may_be_key` of a dict, or by a function."""

    attribute: str
    may_be_key: bool
    function: Callable[[Any], Any] | None = None


# Slots, fields of named tuples, and what is computed once.
_NO_PROPERTIES = (MemberDescriptorType, type(Reading.attribute), cached_property)


def reading_of(name: str, field: GraphQLField) -> Reading | None:
    """Return how a field is read; None where that is a resolver's affair or takes arguments."""
    if field.args:
        return None
    if field.resolve is None:
        return Reading(name, may_be_key=True)
    known = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if (
        field.resolve.__module__ != _CONVERTER
        or not isinstance(known, StrawberryField)
        or type(known).get_result is not StrawberryField.get_result
        or known.extensions
    ):
        return None
    if field.resolve.__name__ == "_get_basic_result":
        is_getattr = known.default_resolver is getattr and known.is_basic_field
        return Reading(known.python_name, may_be_key=False) if is_getattr else None
    return _repeatable(known)


def _repeatable(field: StrawberryField) -> Reading | None:
    resolver = field.base_resolver
    if not field.metadata.get(REPEATABLE) or not resolver or resolver.is_async:
        return None
    if not resolver.self_parameter or len(resolver.signature.parameters) != 1:
        return None
    function = resolver.wrapped_func
    return (
        Reading(field.python_name, may_be_key=False, function=function)
        if isfunction(function)
        else None
    )


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
    return True if is_known and type_.is_type_of.__module__ == _CONVERTER else None
