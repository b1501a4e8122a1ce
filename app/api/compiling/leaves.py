"""Scalars and enums: the text of the usual case, and a function for every other."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)
from graphql.pyutils import is_awaitable

from app.api.compiling.oddity import Odd

# Nothing of these types is an error, can be called or awaited.
INERT = frozenset(
    (str, int, float, bool, Decimal, datetime, date, time, UUID, bytes, list, tuple, dict)
)

# By what a type gives out as it is: the test, where {0} binds the value and {1} is the value.
_AS_IT_IS: dict[Any, str] = {
    GraphQLString.coerce_output_value: "type({0}) is str",
    GraphQLID.coerce_output_value: "type({0}) is str",
    GraphQLBoolean.coerce_output_value: "type({0}) is bool",
    GraphQLInt.coerce_output_value: (
        f"type({{0}}) is int and {GRAPHQL_MIN_INT} <= {{1}} <= {GRAPHQL_MAX_INT}"
    ),
    # Neither infinite nor no number.
    GraphQLFloat.coerce_output_value: "type({0}) is float and {1} - {1} == 0.0",
}


def as_it_is(type_: GraphQLLeafType) -> str | None:
    """Return the test of a value that the type gives out unchanged; None where it never does."""
    if isinstance(type_, GraphQLEnumType):
        return None
    return _AS_IT_IS.get(type_.coerce_output_value)


def names_of(type_: GraphQLLeafType) -> dict[int, str]:
    """Return the names of an enum's values by the identity of the members of Python's enum."""
    if not isinstance(type_, GraphQLEnumType):
        return {}
    members = [value.value for value in type_.values.values()]
    # Strawberry takes members for values, too.
    members += getattr(type_, "wrapped_cls", ())
    return {
        id(member): type_.coerce_output_value(member)
        for member in members
        if isinstance(member, Enum) and not _is_special(member)
    }


def coerced(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """Return what gives out any value but None; it raises where the stock executor has to look."""
    coerce = type_.coerce_output_value

    def give_out(value: object) -> object:
        if type(value) not in INERT and _is_special(value):
            raise Odd
        given = coerce(value)
        if type(given) not in INERT and (
            given is None or given is Undefined or is_awaitable(given)
        ):
            raise Odd
        return given

    return give_out


def _is_special(value: object) -> bool:
    return (
        value is None
        or value is Undefined
        or isinstance(value, Exception)
        or callable(value)
        or is_awaitable(value)
    )
