"""Documents invented by chance for any schema; not all of them are valid, which executors allow."""

from random import Random
from typing import Any

from graphql import (
    GraphQLCompositeType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
)

_ALIASES = ("a", "b", "c")
_CONDITIONS = ("true", "false", "$yes", "$no", "$yes", "$maybe")
_FRAGMENTS = ("F0", "F1", "F2")
_DEPTH = 5

# What the variables of every document are given, in turn; others are declared and not given.
VARIABLES: tuple[dict[str, Any], ...] = (
    {"yes": True, "no": False, "n": 7, "where": {"words": ["v"]}, "hue": "LIGHT", "ids": ["v", 7]},
    {"yes": False, "no": True, "maybe": True, "n": None, "where": None, "hues": ["DARK", "LIGHT"]},
)
_DECLARED = "$yes: Boolean!, $no: Boolean, $maybe: Boolean, $n: Int, $m: Int = 4, $ids: [ID!]"
# Types of Strawberry's schemas alone.
_DECLARED_TOO = ", $where: Where, $hue: Hue = DARK, $hues: [Hue!]"
_VALUES = {
    "Int": ("3", "5", "null", '"x"', "$n", "$m", "$none", "$undeclared"),
    "String": ('"w"', "null", "1", "$none"),
    "Hue": ("DARK", "LIGHT", "GREY", "null", "$hue", "$none"),
    "[Hue!]": ("DARK", "[DARK, LIGHT]", "[$hue]", "[null]", "$hues", "null"),
    "[ID!]": ('["a", 1]', '"alone"', "$ids", "[$n]", "[]"),
    "Where": ("{from: 1}", "{}", "{words: [$n]}", "{hue: $hue, ids: $ids}", "$where", "{no: 1}"),
    "[Where!]": ("[{from: 2}, {}]", "{hue: LIGHT}", "[$where]", "null"),
}


def invented_document(random: Random, schema: GraphQLSchema) -> str:
    """Return a query with fragments, some of which are used."""
    assert schema.query_type
    composite = [one.name for one in _composite(schema)]
    fragments = [
        f"fragment {name} on {on} {_Inventor(random, schema, _FRAGMENTS[i + 1 :]).selection(on, 3)}"
        for i, name in enumerate(_FRAGMENTS)
        for on in [random.choice(composite)]
    ]
    query = _Inventor(random, schema, _FRAGMENTS).selection(schema.query_type.name, _DEPTH)
    declared = _DECLARED + (_DECLARED_TOO if "Where" in schema.type_map else "")
    return "\n".join([f"query ({declared}) {query}", *fragments])


class _Inventor:
    def __init__(self, random: Random, schema: GraphQLSchema, fragments: tuple[str, ...]) -> None:
        self._random = random
        self._schema = schema
        self._fragments = fragments

    def selection(self, name: str, depth: int) -> str:
        """Return a selection on a type; what it selects may be selected again in it."""
        type_ = self._schema.type_map[name]
        parts = [self._part(type_, depth) for _ in range(self._random.randint(1, 6))]
        return f"{{ {' '.join(parts)} }}"

    def _part(self, type_: object, depth: int) -> str:
        chance = self._random.random()
        if chance < 0.1:
            return f"{self._alias()}__typename{self._conditions()}"
        if chance < 0.25 and depth:
            on = self._random.choice(["", *(f"on {one.name}" for one in _composite(self._schema))])
            inner = on.removeprefix("on ") or str(type_)
            return f"... {on}{self._conditions()} {self.selection(inner, depth - 1)}"
        if chance < 0.35 and self._fragments:
            return f"...{self._random.choice(self._fragments)}{self._conditions()}"
        if chance < 0.37 or not isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)):
            return f"{self._alias()}__typename noSuchField"
        name, field = self._random.choice(list(type_.fields.items()))
        inner = self._inner(field.type, depth)
        return f"{self._alias()}{name}{self._arguments(field)}{self._conditions()}{inner}"

    def _arguments(self, field: GraphQLField) -> str:
        given = [
            f"{name}: {self._random.choice(_VALUES[str(argument.type).removesuffix('!')])}"
            for name, argument in field.args.items()
            if self._random.random() < 0.6
        ]
        return f"({', '.join(given)})" if given else ""

    def _inner(self, type_: GraphQLOutputType, depth: int) -> str:
        named = get_named_type(type_)
        if not is_composite_type(named):
            return ""
        return self.selection(named.name, depth - 1) if depth else "{ __typename }"

    def _alias(self) -> str:
        return f"{self._random.choice(_ALIASES)}: " if self._random.random() < 0.15 else ""

    def _conditions(self) -> str:
        if self._random.random() < 0.85:
            return ""
        name = self._random.choice(["skip", "include"])
        return f" @{name}(if: {self._random.choice(_CONDITIONS)})"


def _composite(schema: GraphQLSchema) -> list[GraphQLCompositeType]:
    return [
        one
        for one in schema.type_map.values()
        if is_composite_type(one) and not one.name.startswith("__")
    ]
