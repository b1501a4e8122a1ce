"""From a request for GraphQL to its answer, or its answers: one document, guarded, and executed."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum
from inspect import isawaitable
from typing import Any, NamedTuple, Protocol, cast

from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    create_source_event_stream,
)
from graphql import Executor as CoreExecutor

from app.api.context import Context
from app.api.costs.costs import Costs
from app.api.costs.remembered import RememberedCosts
from app.api.documents import Document, Rejected, invalid
from app.api.errors import formatted, internal, shown
from app.api.executor import Operations, execute
from app.api.persisted import Library
from app.api.requests import MutationByGet, Request
from app.api.rows import rows
from app.api.schema import schema
from app.model.errors import TooSlow
from app.observing.observation import note_error, note_operation, timed

graphql_schema = schema._schema  # noqa: SLF001 - it has no other name there
_operations = Operations(graphql_schema, kept=rows)

# A list of a hundred ids and ten filters need half as many. Each is looked at wherever its variable
# is used, and the others wait meanwhile.
_MOST_VALUES = 1000


class Outcome(Enum):
    """How far a request came."""

    EXECUTED = "executed"
    INVALID = "invalid"
    UNPARSEABLE = "unparseable"
    BROKEN = "broken"


@dataclass(frozen=True)
class Response:
    """One answer, as a response of GraphQL; what was not executed has no `data`.

    One that `lasts` is the same while what it was made of is.
    """

    body: dict[str, Any]
    outcome: Outcome
    lasts: bool = False

    @property
    def has_errors(self) -> bool:
        return "errors" in self.body


class _Events(Protocol):
    """What a resolver of a subscription returns."""

    def __aiter__(self) -> AsyncIterator[object]: ...

    async def aclose(self) -> None: ...


class _Prepared(NamedTuple):
    document: Document
    operation: OperationDefinitionNode
    variables: dict[str, Any]
    name: str | None
    extensions: dict[str, Any]

    @property
    def is_subscription(self) -> bool:
        return self.operation.operation is OperationType.SUBSCRIPTION


class Executor:
    """Executes requests. `most_cost` is the largest cost of an operation."""

    def __init__(self, library: Library, costs: Costs, most_cost: int) -> None:
        self._library = library
        self._costs = RememberedCosts(costs)
        self._most_cost = most_cost

    async def answer(
        self, request: Request, context: Context, *, queries_only: bool = False
    ) -> Response:
        """Return the answer to a query or a mutation; raises `MutationByGet` and nothing else."""
        prepared = None
        try:
            with timed("prepare"):
                prepared = await self._prepared(request, queries_only=queries_only)
            if prepared.is_subscription:
                answer = _refused(_NEEDS_A_STREAM)
            else:
                answer = await _executed(prepared, context)
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller gets an answer
            answer = _failed(error)
        _count(prepared, answer, context)
        return answer

    async def answers(
        self, request: Request, context: Context, *, queries_only: bool = False
    ) -> Response | AsyncGenerator[Response, None]:
        """Return the answers to a subscription as they come, until it ends or is closed.

        It is one `Response` for a query or a mutation, and where the subscription is refused.
        Raises `MutationByGet` and nothing else.
        """
        prepared = None
        answers: Response | AsyncGenerator[Response, None]
        try:
            with timed("prepare"):
                prepared = await self._prepared(request, queries_only=queries_only)
            if prepared.is_subscription:
                answers = await _subscribed(prepared, context)
            else:
                answers = await _executed(prepared, context)
        except Exception as error:  # noqa: BLE001 - as above
            answers = _failed(error)
        _count(prepared, answers, context)
        return answers

    async def _prepared(self, request: Request, *, queries_only: bool) -> _Prepared:
        """Return what is to be executed; raises `Rejected` and `MutationByGet`."""
        document = await self._library.document(request)
        operation = document.operation(request.operation_name)
        if queries_only and operation.operation is OperationType.MUTATION:
            raise MutationByGet
        variables = dict(request.variables or {})
        if _has_too_many(variables):
            raise invalid(f"The variables hold more than {_MOST_VALUES} values.", "BAD_USER_INPUT")
        # A subscription keeps them for as long as it lasts.
        declared = {one.variable.name.value for one in operation.variable_definitions or ()}
        variables = {name: value for name, value in variables.items() if name in declared}
        requested = self._costs.requested(document.node, operation, variables)
        extensions = {"cost": {"requested": requested, "limit": self._most_cost}}
        if requested > self._most_cost:
            raise invalid(
                f"The operation costs {requested}, and {self._most_cost} is the most; ask for "
                "smaller pages or in several requests.",
                "COST_LIMIT_EXCEEDED",
                extensions,
            )
        return _Prepared(document, operation, variables, request.operation_name, extensions)


def _count(
    prepared: _Prepared | None, answers: Response | AsyncGenerator[Response, None], context: Context
) -> None:
    """Count an operation by its type and outcome; None is one that is not known to be any."""
    metrics = context.services.metrics
    kind = prepared.operation.operation.value if prepared else "unknown"
    if prepared:
        cost = prepared.extensions["cost"]["requested"]
        name = prepared.operation.name
        note_operation(kind, name.value if name else None, cost)
        metrics.cost.observe(amount=cost)
    if not isinstance(answers, Response):
        metrics.operations.add(kind, "ok")
        return
    is_partial = answers.has_errors and answers.outcome is Outcome.EXECUTED
    outcome = "partial" if is_partial else _OUTCOMES[answers.outcome]
    metrics.operations.add(kind, outcome)
    _count_errors(answers, context)


_OUTCOMES = {
    Outcome.EXECUTED: "ok",
    Outcome.INVALID: "refused",
    Outcome.UNPARSEABLE: "refused",
    Outcome.BROKEN: "broken",
}


def _count_errors(answer: Response, context: Context) -> None:
    for error in answer.body.get("errors", ()):
        code = error["extensions"]["code"]
        note_error(code)
        context.services.metrics.errors.add(code)


def _has_too_many(variables: dict[str, Any]) -> bool:
    values: list[Any] = [variables]
    for one in values:
        if isinstance(one, dict):
            values.extend(one.values())
        elif isinstance(one, list):
            values.extend(one)
        if len(values) > _MOST_VALUES:
            return True
    return False


async def _executed(prepared: _Prepared, context: Context, event: object = None) -> Response:
    """Execute an operation, of a subscription for one event."""
    result = execute(
        graphql_schema,
        prepared.document.node,
        event,
        context,
        prepared.variables,
        prepared.name,
        operations=_operations,
    )
    executed = await result if isawaitable(result) else result
    if prepared.operation.operation is not OperationType.QUERY:
        context.fresh_until = None  # what was done is not done again by keeping its answer
    return _answered(executed, context, prepared.extensions, lasts=prepared.document.lasts)


async def _subscribed(
    prepared: _Prepared, context: Context
) -> Response | AsyncGenerator[Response, None]:
    begun = CoreExecutor.build(
        graphql_schema,
        prepared.document.node,
        None,
        context,
        prepared.variables,
        prepared.name,
    )
    if isinstance(begun, list):
        return _answered(ExecutionResult(None, begun), context, prepared.extensions, began=False)
    stream = create_source_event_stream(begun)
    events = await stream if isawaitable(stream) else stream
    if isinstance(events, ExecutionResult):
        return _answered(events, context, prepared.extensions, began=False)
    return _each(prepared, context, cast("_Events", events))


async def _each(
    prepared: _Prepared, context: Context, events: _Events
) -> AsyncGenerator[Response, None]:
    """Yield an answer for each event, and one more where the subscription ends by an error."""
    async with aclosing(events):
        try:
            async for event in events:
                # What was loaded for one event is of no use for the next, which comes later.
                yield await _executed(prepared, context.renewed(), event)
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller is told
            ended = GraphQLError(str(error), original_error=error)
            body = {"errors": [shown(ended)], "extensions": prepared.extensions}
            answer = Response(body, Outcome.INVALID)
            _count_errors(answer, context)
            if isinstance(error, TooSlow):
                context.services.metrics.streams_dropped.add("queue_full")
            yield answer


def _answered(
    result: ExecutionResult,
    context: Context,
    extensions: dict[str, Any],
    *,
    began: bool = True,
    lasts: bool = False,
) -> Response:
    errors = [shown(error) for error in result.errors or []]
    errors += [formatted(error, {}) for error in context.problems]
    # Variables that cannot be read stop the request before anything was executed.
    has_data = result.data is not None or (began and any("path" in error for error in errors))
    body: dict[str, Any] = {"data": result.data} if has_data else {}
    if errors:
        body["errors"] = errors
    body["extensions"] = extensions
    outcome = Outcome.EXECUTED if has_data else Outcome.INVALID
    return Response(body, outcome, lasts=lasts and not errors)


def _refused(rejected: Rejected) -> Response:
    body: dict[str, Any] = {"errors": rejected.errors}
    if rejected.extensions:
        body["extensions"] = rejected.extensions
    return Response(body, Outcome.UNPARSEABLE if rejected.is_syntax else Outcome.INVALID)


def _failed(error: Exception) -> Response:
    if isinstance(error, MutationByGet):
        raise error
    if isinstance(error, Rejected):
        return _refused(error)
    body = {"errors": [{"message": "Internal error.", "extensions": internal(error)}]}
    return Response(body, Outcome.BROKEN)


_NEEDS_A_STREAM = invalid(
    "A subscription is answered over a WebSocket or with `Accept: text/event-stream`.",
    "BAD_USER_INPUT",
)
