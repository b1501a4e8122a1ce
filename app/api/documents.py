"""Documents: parsed, within the limits, and valid; those asked for often are remembered."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    Token,
    TokenKind,
    parse,
)

from app.api.errors import quoting_nothing
from app.api.guard import DocumentLimits, excess
from app.api.guard_validation import find_invalid
from app.api.lasting import lasts
from app.metrics.metrics import Metrics

# Python refuses to read more than 4300 digits, in words of its own.
_MOST_DIGITS = 1000
# What is parsed takes about a kilobyte for a token, and its text twice four bytes for a character:
# some 100 MB, or several hundred documents.
_MOST_REMEMBERED = 100_000
_CHARACTERS_OF_A_TOKEN = 125

_NUMBERS = {TokenKind.INT, TokenKind.FLOAT}
_TEXTS = {TokenKind.STRING, TokenKind.BLOCK_STRING, TokenKind.COMMENT}


class Rejected(Exception):
    """
    A document cannot be executed, for these errors as they are answered.

    `is_syntax` is True where it is no document at all; `extensions` are those of the answer.
    """

    def __init__(
        self,
        errors: list[dict[str, Any]],
        *,
        is_syntax: bool = False,
        extensions: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(errors)
        self.errors = errors
        self.is_syntax = is_syntax
        self.extensions = extensions or {}


@dataclass(frozen=True)
class Document:
    """A document that can be executed. Of one that may hold a secret nothing `may_be_kept`.

    An answer to one that `lasts` is the same while what it was made of is.
    """

    text: str
    node: DocumentNode
    weight: int
    may_be_kept: bool
    lasts: bool

    @cached_property
    def operations(self) -> list[OperationDefinitionNode]:
        return _operations(self.node)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation that is meant, which is never guessed; raises `Rejected`."""
        operations = self.operations
        if name is None and len(operations) == 1:
            return operations[0]
        for operation in operations:
            if operation.name and operation.name.value == name:
                return operation
        if name is None:
            raise invalid("The document has several operations; say which by `operationName`.")
        raise invalid("The document has no operation of the name in `operationName`.")


class Documents:
    """Reads documents against one schema."""

    def __init__(
        self, schema: GraphQLSchema, limits: DocumentLimits, metrics: Metrics | None = None
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._lookups = (metrics or Metrics()).lookups
        self._remembered: OrderedDict[str, Document] = OrderedDict()
        self._weight = 0

    def read(self, text: str) -> Document:
        """Return the document of a text; raises `Rejected`."""
        known = self._remembered.get(text)
        self._lookups.add("documents", "hit" if known else "miss")
        if known:
            self._remembered.move_to_end(text)
            return known
        document = self._checked(text)
        if document.may_be_kept:
            self._remember(document)
        return document

    def _checked(self, text: str) -> Document:
        try:
            if len(text) > self._limits.characters:
                most = self._limits.characters
                raise _unparseable(f"The document has more than {most:,} characters.")
            node = parse(text, max_tokens=self._limits.tokens)
            tokens = list(_tokens(node))
            if any(token.end - token.start > _MOST_DIGITS for token in _of(tokens, _NUMBERS)):
                raise _unparseable(f"A number in the document has more than {_MOST_DIGITS} digits.")
            errors = self._errors(node)
        except GraphQLSyntaxError as error:
            raise Rejected([quoting_nothing(error, _PARSE_FAILED)], is_syntax=True) from None
        except RecursionError:
            raise _unparseable("The document is nested too deeply; ask for less at once.") from None
        if errors:
            raise Rejected([quoting_nothing(error, _VALIDATION_FAILED) for error in errors])
        changes = any(one.operation is OperationType.MUTATION for one in _operations(node))
        may_be_kept = not changes or not any(_of(tokens, _TEXTS))
        weight = len(tokens) + len(text) // _CHARACTERS_OF_A_TOKEN
        return Document(text, node, weight, may_be_kept, lasts(self._schema, node))

    def _errors(self, node: DocumentNode) -> list[GraphQLError]:
        too_much = excess(node, self._limits)
        return [too_much] if too_much else find_invalid(self._schema, node)

    def _remember(self, document: Document) -> None:
        self._remembered[document.text] = document
        self._weight += document.weight
        while self._weight > _MOST_REMEMBERED:
            _, forgotten = self._remembered.popitem(last=False)
            self._weight -= forgotten.weight


_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"


def invalid(
    message: str, code: str = _VALIDATION_FAILED, extensions: dict[str, Any] | None = None
) -> Rejected:
    """Return the rejection of a document for one reason of ours."""
    error = {"message": message, "extensions": {"code": code}}
    return Rejected([error], extensions=extensions)


def _unparseable(message: str) -> Rejected:
    error = {"message": message, "extensions": {"code": _PARSE_FAILED}}
    return Rejected([error], is_syntax=True)


def _operations(node: DocumentNode) -> list[OperationDefinitionNode]:
    return [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]


def _tokens(node: DocumentNode) -> Iterator[Token]:
    token = node.loc.start_token if node.loc else None
    while token is not None:
        yield token
        token = token.next


def _of(tokens: list[Token], kinds: set[TokenKind]) -> Iterator[Token]:
    return (token for token in tokens if token.kind in kinds)
