"""
A row of an export is what GraphQL answers to a query for every plain field of an entry.

The fields are those of the schema, so that a new one is in the exports too: all that take no
arguments, those of the objects within an entry, and of its account what tells it from others.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from graphql import (
    ExecutionResult,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    execute,
    get_named_type,
    is_object_type,
    is_union_type,
    parse,
)

from app.api.execution import graphql_schema
from app.api.executor import CompilingExecutor, Operations
from app.api.schema import schema
from app.api.types.entries import CreditChange, Payment
from app.model.entries import Stream

Fields = Mapping[str, Any]

# What an entry leads to is no part of it.
_OF_OTHERS = {"Account": ("id", "label", "provider"), "Provider": ("name", "kind")}
_TYPES = {Stream.CREDIT_CHANGES: CreditChange, Stream.PAYMENTS: Payment}
_ROWS = "rows"


class BrokenRows(Exception):
    """Entries cannot be shown as the schema has them: a mistake of ours."""


class _Selection(NamedTuple):
    """Fields as a document names them, and the paths by which they are found in an answer."""

    text: str
    paths: tuple[str, ...]


class Rows:
    """The rows of one stream; `paths` are those of their fields, in the schema's order."""

    def __init__(self, stream: Stream) -> None:
        type_ = graphql_schema.type_map[_TYPES[stream].__name__]
        selection = _of(type_)
        self.paths = selection.paths
        # The types are the schema's own; only the way to them is another.
        rows = GraphQLField(GraphQLList(cast("GraphQLObjectType", type_)))
        self._schema = GraphQLSchema(GraphQLObjectType("Rows", {_ROWS: rows}))
        # By this Strawberry's resolvers, and who compiles them, know a schema of Strawberry.
        cast("Any", self._schema)._strawberry_schema = schema  # noqa: SLF001 - as in execution.py
        self._document = parse(f"{{ {_ROWS} {selection.text} }}", no_location=True)
        self._operations = Operations(self._schema)

    def shown(self, entries: Sequence[CreditChange | Payment]) -> list[Fields]:
        """Return a row for each entry; raises `BrokenRows`."""
        answer = execute(
            self._schema,
            self._document,
            {_ROWS: entries},
            executor_class=CompilingExecutor,
            operations=self._operations,
        )
        if not isinstance(answer, ExecutionResult) or answer.errors or answer.data is None:
            errors = answer.errors if isinstance(answer, ExecutionResult) else None
            raise BrokenRows from next(iter(errors or ()), None)
        return cast("list[Fields]", answer.data[_ROWS])


@cache
def rows_of(stream: Stream) -> Rows:
    """Return the rows of a stream, which are worked out once."""
    return Rows(stream)


def _of(type_: GraphQLNamedType) -> _Selection:
    """Return the selection of all plain fields of a type; of a union, those of its members."""
    if is_union_type(type_):
        members = [(one.name, _of(one)) for one in type_.types]
        text = " ".join(f"... on {name} {selection.text}" for name, selection in members)
        return _Selection(
            f"{{ __typename {text} }}", _once("__typename", *(one.paths for _, one in members))
        )
    if not is_object_type(type_):
        return _Selection("", ())
    names = _OF_OTHERS.get(type_.name, type_.fields)
    fields = {name: type_.fields[name] for name in names if not type_.fields[name].args}
    within = {name: _of(get_named_type(field.type)) for name, field in fields.items()}
    text = " ".join(f"{name} {selection.text}" for name, selection in within.items())
    paths = (
        [f"{name}.{path}" for path in selection.paths] or [name]
        for name, selection in within.items()
    )
    return _Selection(f"{{ {text} }}", _once(*paths))


def _once(*paths: str | Iterable[str]) -> tuple[str, ...]:
    """Return all of the paths in their order, as two members of a union may have the same."""
    each = ([one] if isinstance(one, str) else one for one in paths)
    return tuple(dict.fromkeys(path for some in each for path in some))
