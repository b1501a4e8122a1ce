"""Documents invented by chance for any schema; not all of them are valid, which executors allow."""

from random import Random

from graphql import (
    GraphQLCompositeType,
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

# What the variables of every document are given.
VARIABLES = ({"yes": True, "no": False}, {"yes": False, "no": True, "maybe": True})


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
    return "\n".join([f"query ($yes: Boolean!, $no: Boolean, $maybe: Boolean) {query}", *fragments])


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
        arguments = self._random.choice(["", "(n: 3)", '(n: "x")']) if field.args else ""
        inner = self._inner(field.type, depth)
        return f"{self._alias()}{name}{arguments}{self._conditions()}{inner}"

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
