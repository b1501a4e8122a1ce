"""
What a document may ask for at most, told before anything is validated or executed.

Between parsing, by which its characters and tokens are known to be few, and validation, whose time
`app.api.guard_validation` bounds. A document is refused with its number and the limit, so that its
author knows what to do.
"""

from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, Node

from app.api.guard_counts import MANY, count_operations

# The query by which tools read a schema is 15 deep for any schema: a limit of its own lets it pass
# a smaller `depth`. graphql-core's validation refuses the circles that would make a long answer,
# `fields` in `fields` in `fields`.
_INTROSPECTION_DEPTH = 20
# That query has none. Each can repeat all types, which takes 13 ms: 29 of them 380 ms.
_INTROSPECTION_ALIASES = 3
# Real documents have about 10 characters to a token. Errors quote names and values, each
# quotation as long as these are.
_CHARACTERS_PER_TOKEN = 32


@dataclass(frozen=True)
class DocumentLimits:
    """The most that an operation may have, with its fragments spread out, and a document's tokens.

    The defaults leave room for some times what a screen of a real application asks: a dashboard of
    three connections, totals and balances is 7 deep and has 1 root field, 4 aliases, 3 directives,
    244 fields and 384 tokens; the query by which tools read a schema has 229 fields.
    """

    depth: int = 12
    aliases: int = 30
    root_fields: int = 20
    directives: int = 50
    fields: int = 1000
    tokens: int = 2000

    @property
    def characters(self) -> int:
        """The most characters that the text of a document may have."""
        return self.tokens * _CHARACTERS_PER_TOKEN


def excess(document: DocumentNode, limits: DocumentLimits) -> GraphQLError | None:
    """Return what is too much in a document, with its number and its limit; None where nothing is.

    Each operation is counted for itself, since only one is executed.
    """
    for operation, counts in count_operations(document):
        for what, count, limit in (
            ("levels of fields", counts.depth, limits.depth),
            ("levels of introspection", counts.introspection_depth, _INTROSPECTION_DEPTH),
            ("fields at its root", counts.root_fields, limits.root_fields),
            ("aliases", counts.aliases, limits.aliases),
            ("aliases in introspection", counts.introspection_aliases, _INTROSPECTION_ALIASES),
            ("directives", counts.directives, limits.directives),
            ("fields", counts.fields, limits.fields),
        ):
            if found := _excess(what, count, limit, operation):
                return found
    return None


def _excess(what: str, count: int, limit: int, operation: Node) -> GraphQLError | None:
    if count <= limit:
        return None
    number = f"{MANY:,} or more" if count >= MANY else f"{count:,}"
    return GraphQLError(
        f"The operation, with its fragments spread out, has {number} {what}; at most {limit:,} are "
        "allowed. Ask for less at once.",
        operation,
    )
