"""Schemas invented by chance, of graphql-core's own making and of Strawberry's, and their objects."""

from collections import UserDict, namedtuple
from collections.abc import Callable
from enum import Enum, StrEnum
from functools import cached_property
from random import Random
from typing import Annotated, Any

import strawberry
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
from strawberry.schema.config import StrawberryConfig

from app.api.executor import REPEATABLE

_FIELDS = ("f0", "f1", "f2", "in", "class")
_TYPES = ("T0", "T1", "T2")


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
        is_type_of = (lambda _value, _info: True) if random.random() < 0.1 else None
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
    return namedtuple("Row", [*kept, "name"])(**kept, name=name)  # noqa: PYI024 - of any fields


def strawberry_schema(random: Random) -> tuple[GraphQLSchema, dict[str, type]]:
    """Return a schema of Strawberry's types, and the types by their names."""
    odd = strawberry.scalar(name="Odd", serialize=only_odd, parse_value=int)
    scalar: Any = type("OddNumber", (), {})
    strawberry.enum(Colour), strawberry.enum(Word)
    kinds: list[Any] = [str, int, float, bool, strawberry.ID, scalar, Colour, Word]
    interface: Any = strawberry.interface(_class(random, "I", ("f0",), kinds, ()))
    made: dict[str, Any] = {}
    for name in _TYPES:
        bases = (interface,) if name == "T0" or random.random() < 0.6 else ()
        own = _FIELDS[1:4] if bases else _FIELDS[:4]
        made[name] = strawberry.type(_class(random, name, own, kinds, bases))
        kinds.append(made[name])
    union = Annotated[made["T0"] | made["T1"], strawberry.union("U")]
    query = strawberry.type(
        _class(
            random,
            "Query",
            ("q0", "q1"),
            kinds,
            (),
            things=list[union | None],
            one=interface | None,
        )  # type: ignore[valid-type]
    )
    config = StrawberryConfig(scalar_map={scalar: odd})
    schema: Any = strawberry.Schema(query, types=list(made.values()), config=config)
    return schema._schema, {**made, "Query": query}  # noqa: SLF001 - it has no other name there


def _class(
    random: Random,
    name: str,
    fields: tuple[str, ...],
    kinds: list[Any],
    bases: tuple[type, ...],
    **more: Any,
) -> type:
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {"__annotations__": annotations, "__repr__": lambda _: f"<{name}>"}
    for field in fields:
        kind = random.choice(kinds)
        type_ = list[kind | None] if random.random() < 0.2 else kind  # type: ignore[valid-type]
        type_ = type_ | None if random.random() < 0.5 else type_
        resolver = random.choice(
            [None, None, None, None, _resolved, _resolved_later, _repeated, _failed]
        )
        python_name = f"{field}_" if field == "in" else field
        if resolver:
            body[python_name] = resolver(python_name, type_)
        else:
            annotations[python_name] = type_
            body[python_name] = strawberry.field(name=field)
    annotations |= more
    return type(name, bases, body)


def _resolved(name: str, type_: Any, **more: Any) -> Any:
    def resolve(self: Any) -> Any:
        return self.__dict__[f"{name}_kept"]

    resolve.__annotations__["return"] = type_
    return strawberry.field(resolver=resolve, name=name.removesuffix("_"), **more)


def _repeated(name: str, type_: Any) -> Any:
    return _resolved(name, type_, metadata={REPEATABLE: True})


def _resolved_later(name: str, type_: Any) -> Any:
    async def resolve(self: Any) -> Any:
        return self.__dict__[f"{name}_kept"]

    resolve.__annotations__["return"] = type_
    return strawberry.field(resolver=resolve, name=name.removesuffix("_"))


def _failed(name: str, type_: Any) -> Any:
    def resolve(self: Any) -> Any:
        raise LookupError(name)

    resolve.__annotations__["return"] = type_
    return strawberry.field(resolver=resolve, name=name.removesuffix("_"))


def strawberry_object(
    types: dict[str, type],
) -> Callable[[Inventor, GraphQLObjectType, int], object]:
    """Return what makes objects of these types, whatever their fields are said to hold."""

    def make(inventor: Inventor, type_: GraphQLObjectType, depth: int) -> object:
        instance: Any = object.__new__(types[type_.name])
        for name, field in type_.fields.items():
            python_name = f"{name}_" if name == "in" else name
            resolved = getattr(field.extensions["strawberry-definition"], "base_resolver", None)
            kept = f"{python_name}_kept" if resolved else python_name
            instance.__dict__[kept] = inventor.value(field.type, depth)
        if inventor.random.random() < 0.05:
            cast_to = inventor.random.choice([*types.values()])
            return strawberry.cast(cast_to, instance)
        return instance

    return make
