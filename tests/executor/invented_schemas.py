"""Schemas invented by chance of graphql-core's own types, and objects of many kinds for them."""

from collections import UserDict, namedtuple
from enum import Enum, StrEnum
from functools import cached_property, partial
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    default_field_resolver,
)
from invented_values import Inventor, Later

_FIELDS = ("f0", "f1", "f2", "in", "class")
_TYPES = ("T0", "T1", "T2")

# Called by another name, its fields need not be known before.
make_row: Any = namedtuple  # noqa: PYI024 - as said


class Colour(Enum):
    RED = 1
    GREEN = "green"


class Word(StrEnum):
    YES = "yes"
    NO = "NO"


def only_odd(value: object) -> object:
    """Give out odd numbers alone; None for 7."""
    if not isinstance(value, int) or value % 2 == 0:
        raise ValueError(f"{type(value)} is not odd")
    return None if value == 7 else value


def own_schema(random: Random) -> GraphQLSchema:
    """Return a schema of graphql-core's types, resolved by default or by resolvers."""
    leaves: list[Any] = [
        *(GraphQLString, GraphQLID, GraphQLInt, GraphQLFloat, GraphQLBoolean),
        GraphQLScalarType("Odd", coerce_output_value=only_odd),
        GraphQLEnumType("Word", {"A": "a", "B": 2, "RED": Colour.RED}),
    ]
    types: dict[str, Any] = {}

    def field() -> GraphQLField:
        type_ = random.choice([*leaves, *types.values()])
        if random.random() < 0.3:
            type_ = GraphQLList(_maybe_required(random, type_))
        resolve = random.choice([None, None, None, None, _later, _failing, default_field_resolver])
        arguments = {"n": GraphQLArgument(GraphQLInt)} if random.random() < 0.1 else None
        return GraphQLField(_maybe_required(random, type_), arguments, resolve)

    fields = {name: field() for name in _FIELDS}
    types["I"] = GraphQLInterfaceType("I", lambda: {"f0": fields["f0"]})
    for name in _TYPES:
        own = {one: field() for one in _FIELDS[1:]}
        is_type_of = partial(_is_one_of, random.random()) if random.random() < 0.1 else None
        types[name] = GraphQLObjectType(
            name,
            lambda own=own, rest=fields["f0"]: {"f0": rest} | own,  # type: ignore[misc]
            interfaces=[types["I"]],
            is_type_of=is_type_of,
        )
    resolve_type = (lambda *_: "T1") if random.random() < 0.2 else None
    types["U"] = GraphQLUnionType("U", [types["T0"], types["T1"]], resolve_type)
    query = {f"q{i}": field() for i in range(3)} | {
        "things": GraphQLField(GraphQLList(types["U"])),
        "all": GraphQLField(GraphQLNonNull(GraphQLList(types["I"]))),
    }
    return GraphQLSchema(GraphQLObjectType("Query", query), types=types.values())


def _is_one_of(chance: float, value: object, _info: object) -> bool:
    return chance < 0.7 or isinstance(value, dict)


def _maybe_required(random: Random, type_: Any) -> Any:  # noqa: ANN401 - several unrelated types
    return GraphQLNonNull(type_) if random.random() < 0.4 else type_


def _later(source: Any, info: Any, **given: object) -> Later:  # noqa: ANN401 - as resolvers are
    return Later(default_field_resolver(source, info, **given))


def _failing(_source: object, info: Any, **given: object) -> object:  # noqa: ANN401 - as above
    raise LookupError(f"{info.field_name} {given}")


def own_object(inventor: Inventor, type_: GraphQLObjectType, depth: int) -> object:
    """Return a dict or an object of one of several classes that stands for a type."""
    values = {name: inventor.value(field.type, depth) for name, field in type_.fields.items()}
    make = inventor.random.choice([_dict, _dict, _instance, _instance, _mapping, _computed, _tuple])
    return make(type_.name, values)


def _dict(name: str, values: dict[str, Any]) -> object:
    return {"__typename": name, **values}


def _mapping(name: str, values: dict[str, Any]) -> object:
    return UserDict({"__typename": name, **values})


class _Instance:
    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.__typename = name
        self.__dict__ |= values

    def __repr__(self) -> str:
        return "<an instance>"


_instance = _Instance


class _Computed(_Instance):
    """Some of it is computed; the properties win over what is in `__dict__`."""

    @property
    def f1(self) -> object:
        return self.__dict__["f1"]

    @property
    def f2(self) -> object:
        raise ZeroDivisionError("a property that fails")

    @cached_property
    def absent(self) -> str:
        return "once"


_computed = _Computed


def _tuple(name: str, values: dict[str, Any]) -> object:
    kept = {key: value for key, value in values.items() if key.startswith("f")}
    row: Any = make_row("Row", [*kept, "name"])
    return row(**kept, name=name)
