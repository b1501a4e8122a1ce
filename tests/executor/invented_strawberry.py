"""Schemas invented by chance of Strawberry's types, resolvers among them, and their objects."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Annotated, Any

import strawberry
from graphql import GraphQLObjectType, GraphQLSchema
from invented_resolvers import SHAPES, Resolver, resolved
from invented_schemas import Colour, Word, only_odd
from invented_values import Inventor
from strawberry.schema.config import StrawberryConfig

from app.api.executor import KEPT_BY, SHARED

_FIELDS = ("f0", "f1", "f2", "in")
_TYPES = ("T0", "T1", "T2")
_SHARED = ("f0", "f2")


def strawberry_schema(random: Random) -> tuple[GraphQLSchema, dict[str, type]]:
    """Return a schema of Strawberry's types, and the types by their names."""
    scalar = type("OddNumber", (), {})
    odd = strawberry.scalar(name="Odd", serialize=only_odd, parse_value=int)
    strawberry.enum(Colour)
    strawberry.enum(Word)
    kinds: list[Any] = [str, int, float, bool, strawberry.ID, scalar, Colour, Word]
    interface = strawberry.interface(_class("I", (), _invented(random, ("f0",), kinds)))
    made: dict[str, type] = {}
    for name in _TYPES:
        bases = (interface,) if name == "T0" or random.random() < 0.6 else ()
        fields = _invented(random, _FIELDS[1:] if bases else _FIELDS, kinds)
        made[name] = strawberry.type(_class(name, bases, fields))
        kinds.append(made[name])
    first, second, _ = made.values()
    union: Any = Annotated[first | second, strawberry.union("U")]
    abstract = {"things": (list[union | None], None), "one": (interface | None, None)}
    fields = _invented(random, ("q0", "q1"), kinds) | abstract
    made["Query"] = strawberry.type(_class("Query", (), fields))
    config = StrawberryConfig(scalar_map={scalar: odd})
    schema: Any = strawberry.Schema(made["Query"], types=list(made.values()), config=config)
    return schema._schema, made


# A field's type, and the shape of its resolver where it has one.
_Field = tuple[Any, Callable[[str], Resolver] | None]


def _invented(random: Random, names: tuple[str, ...], kinds: list[Any]) -> dict[str, _Field]:
    fields: dict[str, _Field] = {}
    for name in names:
        type_: Any = random.choice(kinds)
        type_ = list.__class_getitem__(type_ | None) if random.random() < 0.2 else type_
        type_ = type_ | None if random.random() < 0.5 else type_
        fields[name] = type_, random.choice([*[None] * len(SHAPES), *SHAPES])
    return fields


def _class(name: str, bases: tuple[type, ...], fields: Mapping[str, _Field]) -> type:
    annotations: dict[str, Any] = {}
    body: dict[str, Any] = {
        "__annotations__": annotations,
        "__repr__": lambda _: f"<{name}>",
        KEPT_BY: ("content",),
    }
    for field, (type_, shape) in fields.items():
        if shape is None:
            annotations[_python(field)] = type_
            metadata = {SHARED: True} if field in _SHARED else {}
            body[_python(field)] = strawberry.field(name=field, metadata=metadata)
        else:
            body[_python(field)] = resolved(field, _python(field), type_, shape)
    return type(name, bases, body)


def strawberry_object(
    types: dict[str, type],
) -> Callable[[Inventor, GraphQLObjectType, int], object]:
    """Return what makes objects of these types, whatever their fields are said to hold."""

    def make(inventor: Inventor, type_: GraphQLObjectType, depth: int) -> object:
        former = inventor.made[type_.name]
        if former and inventor.random.random() < 0.3:
            return inventor.random.choice(former)
        instance: Any = object.__new__(types[type_.name])
        for name, field in type_.fields.items():
            is_resolved = field.extensions["strawberry-definition"].base_resolver
            attribute = f"{_python(name)}_kept" if is_resolved else _python(name)
            instance.__dict__[attribute] = inventor.value(field.type, depth)
        instance.content = object()
        former.append(instance)
        if inventor.random.random() < 0.05:
            return strawberry.cast(inventor.random.choice([*types.values()]), instance)
        return instance

    return make


def _python(name: str) -> str:
    return "in_" if name == "in" else name
