"""What GraphQL says of entries: every plain field of them, by a selection made from the SDL."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLInputObjectType,
    GraphQLNamedType,
    build_schema,
    get_named_type,
    is_object_type,
    is_union_type,
)

from app.api.schema import sdl

SCHEMA = build_schema(sdl())
NODES = {"creditChanges": "CreditChange", "payments": "Payment"}
FILTERS = {"creditChanges": "CreditChangeFilter", "payments": "PaymentFilter"}
SLUGS = {"creditChanges": "credit-changes", "payments": "payments"}
# What leads away from an entry is asked for no further than this.
AWAY = {"Account": "{ id label provider { name kind } }"}
# A field of a union's member is asked for under another name, as two members may disagree on it.
OF_MEMBER = "of_member_"


def page_query(history: str) -> str:
    """Return the query for one page of a customer's list with every plain field."""
    return f"""query($of: String!, $first: Int!, $after: String, $where: {FILTERS[history]},
        $order: HistoryOrder!) {{
      customer(reference: $of) {{
        list: {history}(first: $first, after: $after, filter: $where, orderBy: $order) {{
          nodes {selection(SCHEMA.type_map[NODES[history]])}
          pageInfo {{ hasNextPage endCursor }}
        }} }} }}"""


def filter_fields(history: str) -> list[str]:
    """Return the names of a filter's fields."""
    kind = SCHEMA.type_map[FILTERS[history]]
    assert isinstance(kind, GraphQLInputObjectType)
    return list(kind.fields)


def selection(kind: GraphQLNamedType, alias: str = "") -> str:
    if kind.name in AWAY:
        return AWAY[kind.name]
    if is_union_type(kind):
        members = (f"... on {one.name} {selection(one, one.name)}" for one in kind.types)
        return f"{{ __typename {' '.join(members)} }}"
    if not is_object_type(kind):
        return ""
    fields = (
        f"{f'{OF_MEMBER}{alias}_{name}: ' if alias else ''}{name} "
        f"{selection(get_named_type(field.type))}"
        for name, field in kind.fields.items()
        if not field.args
    )
    return f"{{ {' '.join(fields)} }}"


def unaliased(node: Any) -> Any:  # noqa: ANN401 - it is a part of an answer
    """Return an answer with the schema's own names."""
    if not isinstance(node, dict):
        return node
    return {
        (name.split("_", 3)[3] if name.startswith(OF_MEMBER) else name): unaliased(value)
        for name, value in node.items()
    }


def flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the cells of a row by their columns; what is null or empty is none."""
    for name, value in node.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        elif value not in (None, ""):
            yield f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else str(value)


def cells(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV, read as RFC 4180 has it, without their empty cells."""
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return [{name: cell for name, cell in row.items() if cell != ""} for row in rows]
