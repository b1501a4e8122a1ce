"""What two executors answer, so that it can be compared."""

import asyncio
from inspect import isawaitable
from typing import Any, NamedTuple

import orjson
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute
from invented_resolvers import CALLS

from app.api.executor import CompilingExecutor, Operations


class Told(NamedTuple):
    """All that an answer tells: the data in their order and with their types, and the errors.

    `calls` are those of resolvers, where these note them.
    """

    data: str
    errors: list[tuple[object, ...]]
    calls: list[str]


def told(result: ExecutionResult, calls: list[str] | None = None) -> Told:
    """Return what an answer tells."""
    # Text tells the order of keys, and 1 from True and from 1.0.
    return Told(
        repr(_plain(result.data)), [_error(error) for error in result.errors or []], calls or []
    )


def _plain(value: object) -> object:
    """Return what was kept as it was written as what it is."""
    if isinstance(value, orjson.Fragment):
        return orjson.loads(orjson.dumps(value))
    if type(value) is dict:
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if type(value) is list else value


def _error(error: GraphQLError) -> tuple[object, ...]:
    cause = error.original_error
    return (
        error.message,
        error.path,
        error.locations,
        error.extensions,
        error.positions,
        [id(node) for node in error.nodes or []],
        type(cause),
        str(cause),
        type(cause and cause.__context__),
    )


async def answered(
    schema: GraphQLSchema,
    document: DocumentNode,
    root: object,
    variables: dict[str, Any],
    **options: Any,  # noqa: ANN401 - those of `execute`
) -> Told:
    """Return what `execute` answers."""
    calls: list[str] = []
    CALLS.set(calls)
    result = execute(schema, document, root, "a context", variables, **options)
    if isawaitable(result):
        result = await result
    # What an error left behind runs on; it ends before the loop does.
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.gather(*others, return_exceptions=True)
    return told(result, calls)


class Both:
    """The stock executor, and the compiling one, whose operations are remembered."""

    def __init__(self, schema: GraphQLSchema, operations: Operations) -> None:
        self._schema = schema
        self._operations = operations
        self._runner = asyncio.Runner()

    def close(self) -> None:
        """Close its loop."""
        self._runner.close()

    def answers(
        self, document: DocumentNode, roots: tuple[object, object], variables: dict[str, Any]
    ) -> tuple[Told, Told]:
        """Return both answers; the roots are equal, and each executor is given one."""

        async def ask() -> tuple[Told, Told]:
            stock = await answered(self._schema, document, roots[0], variables)
            other = await answered(
                self._schema,
                document,
                roots[1],
                variables,
                executor_class=CompilingExecutor,
                operations=self._operations,
            )
            return stock, other

        return self._runner.run(ask())
