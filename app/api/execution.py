"""
From a request for GraphQL to its answer: parse, validate, execute, and errors with their codes.

An error of ours says its code and its message. Any other error that a resolver raises says nothing
but a correlation id, under which the log has everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any
from uuid import uuid4

import structlog
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    TokenKind,
    execute,
    parse,
    validate,
)

from app.api.context import Context
from app.api.masking import masked
from app.api.scalars import written
from app.api.schema import schema
from app.model.errors import CallerError, UpstreamError

_log = structlog.get_logger("api")
# Python refuses to read more than 4300 digits, in words of its own.
_MOST_DIGITS = 1000
_NUMBERS = {TokenKind.INT, TokenKind.FLOAT}
_graphql_schema: GraphQLSchema = schema._schema  # noqa: SLF001 - it has no other name there


@dataclass(frozen=True)
class Request:
    """What a caller asks: a document, which of its operations, and its variables."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Response:
    """The answer. `has_data` is False when nothing was executed, so that there is no `data`."""

    body: dict[str, Any]
    has_data: bool
    has_errors: bool


class MutationByGet(Exception):
    """A GET asked for more than a query."""


async def answer(
    request: Request, context: Context, *, most_tokens: int, queries_only: bool = False
) -> Response:
    """Return the answer to a request; raises `MutationByGet` and nothing else."""
    try:
        document = parse(request.query, max_tokens=most_tokens)
    except GraphQLSyntaxError as error:
        return _refused([error], "GRAPHQL_PARSE_FAILED")
    except RecursionError:
        too_deep = GraphQLError("The document is nested too deeply; ask for less at once.")
        return _refused([too_deep], "GRAPHQL_PARSE_FAILED")
    if len(request.query) > _MOST_DIGITS and _has_endless_number(document):
        endless = GraphQLError(f"A number in the document has more than {_MOST_DIGITS} digits.")
        return _refused([endless], "GRAPHQL_PARSE_FAILED")
    invalid = validate(_graphql_schema, document)
    if invalid:
        return _refused(invalid, "GRAPHQL_VALIDATION_FAILED")
    operation = _operation(document, request.operation_name)
    if isinstance(operation, GraphQLError):
        return _refused([operation], "GRAPHQL_VALIDATION_FAILED")
    if queries_only and operation.operation is not OperationType.QUERY:
        raise MutationByGet
    result = execute(
        _graphql_schema,
        document,
        context_value=context,
        variable_values=dict(request.variables or {}),
        operation_name=request.operation_name,
    )
    executed = await result if isawaitable(result) else result
    assert isinstance(executed, ExecutionResult)  # noqa: S101 - nothing is deferred
    if operation.operation is not OperationType.QUERY:
        context.fresh_for = None  # what was done is not done again by keeping its answer
    return _executed(executed, context)


def _has_endless_number(document: DocumentNode) -> bool:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in _NUMBERS and token.end - token.start > _MOST_DIGITS:
            return True
        token = token.next
    return False


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode | GraphQLError:
    """Return the operation that is meant; it is never guessed."""
    operations = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    if name is None and len(operations) == 1:
        return operations[0]
    for operation in operations:
        if operation.name and operation.name.value == name:
            return operation
    if name is None:
        return GraphQLError("The document has several operations; say which by `operationName`.")
    return GraphQLError("The document has no operation of the name in `operationName`.")


def _refused(errors: list[Any], code: str) -> Response:
    return Response(
        {"errors": [_quoting_nothing(error, code) for error in errors]},
        has_data=False,
        has_errors=True,
    )


def _executed(result: ExecutionResult, context: Context) -> Response:
    errors = [_shown(error) for error in result.errors or []]
    errors += [_formatted(error, {}) for error in context.problems]
    # Variables that cannot be read stop the request before anything was executed.
    has_data = result.data is not None or any("path" in error for error in errors)
    body: dict[str, Any] = {"data": result.data} if has_data else {}
    if errors:
        body["errors"] = errors
    return Response(body, has_data=has_data, has_errors=bool(errors))


def _shown(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    if isinstance(original, (CallerError, UpstreamError)):
        return _formatted(error, _extensions(original))
    if original is None or isinstance(original, GraphQLError):
        return _quoting_nothing(error, "BAD_USER_INPUT")
    correlation_id = str(uuid4())
    _log.error("internal error", correlation_id=correlation_id, exc_info=original)
    internal = GraphQLError("Internal error.", nodes=error.nodes, path=error.path)
    return _formatted(internal, {"code": "INTERNAL", "correlationId": correlation_id})


def _extensions(error: CallerError | UpstreamError) -> dict[str, Any]:
    """Say what kind of error it is, which field of the input it is about, and when to ask again."""
    retry_at = error.retry_at if isinstance(error, UpstreamError) else None
    return {
        "code": error.code,
        **({"field": error.field} if error.field else {}),
        **({"retryAt": written(retry_at)} if retry_at else {}),
    }


def _quoting_nothing(error: GraphQLError, code: str) -> dict[str, Any]:
    return {**_formatted(error, {"code": code}), "message": masked(error.message)}


def _formatted(error: GraphQLError, extensions: dict[str, Any]) -> dict[str, Any]:
    formatted = dict(error.formatted)
    formatted["extensions"] = {**(error.extensions or {}), **extensions}
    return formatted
