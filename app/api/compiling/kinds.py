"""What object type a value of an interface or a union is of, told by its class alone."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from graphql import GraphQLAbstractType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.union import StrawberryUnion

from app.api.compiling.oddity import Odd
from app.api.compiling.readings import MOST_CLASSES, is_marked, is_plain

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF
_DEFINITION_ATTRIBUTE = "__strawberry_definition__"
_OF_INTERFACES = (
    f"{GraphQLCoreConverter.from_interface.__qualname__}.<locals>._get_resolve_type.<locals>"
    ".resolve_type"
)
_OF_UNIONS = f"{StrawberryUnion.get_type_resolver.__qualname__}.<locals>._resolve_union_type"

T = TypeVar("T")
_Possible = dict[str, GraphQLObjectType]
Kind = Callable[[object], GraphQLObjectType]


class _Named(NamedTuple):
    """Where the stock resolver of types looks for `__typename` in an object."""

    attributes: tuple[str, ...]


def kind_of(schema: GraphQLSchema, type_: GraphQLAbstractType) -> Kind | None:
    """Return what tells a value's type; it raises `Odd`. None where a resolver has to be asked."""
    possible: _Possible = {one.name: one for one in schema.get_possible_types(type_)}
    resolver = type_.resolve_type
    if resolver is None:
        return _by_typename(possible)
    name = getattr(resolver, "__qualname__", "")
    if name == _OF_INTERFACES and isinstance(type_, GraphQLInterfaceType):
        return _by_class(possible, type_.extensions[_DEFINITION].origin)
    if name == _OF_UNIONS:
        return _by_class(possible, object)
    return None


def _keep(known: dict[type, T], cls: type, found: T) -> None:
    if len(known) >= MOST_CLASSES:
        known.clear()
    known[cls] = found


def _by_class(possible: _Possible, base: type) -> Kind:
    """Tell Strawberry's types; what is cast to another or generic is odd."""
    known: dict[type, GraphQLObjectType] = {}

    def kind(value: object) -> GraphQLObjectType:
        cls = type(value)
        found = known.get(cls)
        if found is None:
            found = look(cls)
            _keep(known, cls, found)
        if is_marked(value):
            raise Odd
        return found

    def look(cls: type) -> GraphQLObjectType:
        definition = getattr(cls, _DEFINITION_ATTRIBUTE, None)
        if not isinstance(definition, StrawberryObjectDefinition) or not issubclass(cls, base):
            raise Odd
        if definition.is_graphql_generic or definition.concrete_of:
            raise Odd
        if not is_plain(cls, (_DEFINITION_ATTRIBUTE,)):
            raise Odd
        # Its name in the schema may be another than its own.
        found = possible.get(definition.name)
        if found is None or found.extensions.get(_DEFINITION) is not definition:
            raise Odd
        return found

    return kind


def _by_typename(possible: _Possible) -> Kind:
    """Tell types as graphql-core does, by what a value calls itself."""
    known: dict[type, _Named] = {}

    def kind(value: object) -> GraphQLObjectType:
        if isinstance(value, dict):
            if type(value) is not dict:
                raise Odd
            name = value.get("__typename")
        else:
            cls = type(value)
            named = known.get(cls) or look(cls)
            name = next(filter(None, (getattr(value, one, None) for one in named.attributes)), None)
        found = possible.get(name) if type(name) is str else None
        if found is None:
            raise Odd
        return found

    def look(cls: type) -> _Named:
        named = _Named(tuple(f"_{base.__name__}__typename" for base in cls.__mro__))
        if not is_plain(cls, named.attributes):
            raise Odd
        _keep(known, cls, named)
        return named

    return kind
