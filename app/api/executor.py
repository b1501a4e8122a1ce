"""
An executor for graphql-core: what is written the same for every execution is done but once.

It is used as `execute(…, executor_class=CompilingExecutor, operations=Operations(schema))`, and its
results are those of the stock executor, errors and their paths included.

Selections of plain data are compiled to functions. Plain data are fields without arguments that are
read by an attribute or a key, of objects whose attributes are no properties; their scalars and
enums; lists and tuples of them; interfaces and unions whose values tell their type by their class
or by `__typename`. A resolver of Strawberry counts as one where its field says by
`metadata={REPEATABLE: True}` that it may be called twice; by `ATTRIBUTES` and `SHARED` a field may
say more. Whatever else is found — awaitables, errors, null where there must be none, values of
other kinds — is left to the stock executor, from the field on that holds it, which then reads it
anew. Reading plain data twice does no harm; that is what makes them plain.

All other resolvers of Strawberry are called once, past what it wraps around each: arguments that
are constants or variables are coerced and converted as far as they can be beforehand. Where
Strawberry does more than to call a function (extensions, permissions, handlers of exceptions), and
where arguments are refused, it is left to do so. What such a resolver returns is completed as
above.

It takes that the schema is not changed once it is used, that what scalars read and give out depends
on the value alone, and that the predicate and the resolvers given to `execute` are the usual ones,
without a signal to abort; with others it is the stock executor. Objects in an answer may be one
and the same.

With something to keep them in (`Operations(…, kept=Kept())`), objects whose class says by `KEPT_BY`
what they are made of are written to JSON but once; in results they are then `orjson.Fragment`s. So
is a list that is `Lasting`, as a whole.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLResolveInfoHelpers,
    GraphQLSchema,
    OperationType,
    default_field_resolver,
    default_type_resolver,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    DeferUsage,
    FieldDetailsList,
    GroupedFieldSet,
)
from graphql.pyutils import AwaitableOrValue, Path, UndefinedType, is_awaitable
from strawberry.execution import optimized_is_awaitable

from app.api.compiling.beginning import are_usual
from app.api.compiling.calling import Calling
from app.api.compiling.kept import KEPT_BY, Kept, Lasting
from app.api.compiling.oddity import FAILED
from app.api.compiling.operations import Operation, Operations, Request
from app.api.compiling.readings import ATTRIBUTES, REPEATABLE, SHARED

__all__ = [
    "ATTRIBUTES",
    "KEPT_BY",
    "REPEATABLE",
    "SHARED",
    "CompilingExecutor",
    "Kept",
    "Lasting",
    "Operations",
    "execute",
]

_USUAL_PREDICATES = (is_awaitable, optimized_is_awaitable)


class CompilingExecutor(Calling):
    """Executes one operation with what `operations` know of its earlier executions."""

    compiled: Operation | None = None

    @property
    def async_helpers(self) -> GraphQLResolveInfoHelpers:
        """What resolvers are given for work of their own, made for each of them.

        An executor that held its own methods would be left to the garbage collector, and with it
        its context and all that was loaded.
        """
        return GraphQLResolveInfoHelpers(self.gather_async_work, self.track_async_work)

    @async_helpers.setter
    def async_helpers(self, helpers: GraphQLResolveInfoHelpers) -> None:
        """Take nothing: the stock executor sets what it would hold."""

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        *arguments: Any,  # noqa: ANN401 - they are the base class's
        **options: Any,  # noqa: ANN401 - as above
    ) -> "list[GraphQLError] | Executor[Any]":
        """Return an executor as the stock one does, or the errors of the request."""
        operations: Operations | None = options.pop("operations", None)
        built: list[GraphQLError] | Executor[Any] | None = None
        if operations is not None and are_usual(arguments[4:], options):
            built = cls._begun(operations, schema, document, *arguments[:4])
        if built is None:
            built = super().build(schema, document, *arguments, **options)
        if isinstance(built, CompilingExecutor) and operations is not None and _is_usual(built):
            built.compiled = operations.operation(
                Request(schema, document, built.operation, built.fragments, built.variable_values)
            )
        return built

    @classmethod
    def _begun(
        cls,
        operations: Operations,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: object = None,
        context: object = None,
        variables: Mapping[str, Any] | None = None,
        operation_name: str | None = None,
    ) -> "CompilingExecutor | None":
        """Return an executor of what is known; None where the stock one has to find out."""
        begun = operations.beginning(schema, document, operation_name)
        values = begun.values(variables or {}) if begun else None
        if begun is None or values is None:
            return None
        return cls(
            schema,
            begun.definitions,
            begun.fragments,
            root_value,
            context,
            begun.operation,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
        )

    def execute_operation(
        self,
        serially: bool | None = None,  # noqa: FBT001 - the base class gives it
    ) -> AwaitableOrValue[Any]:
        """Execute the operation as the stock one does, but for collecting its fields."""
        kind = self.operation.operation
        root_type = self.schema.get_root_type(kind)
        if self.compiled is None or root_type is None:
            return super().execute_operation(serially)
        if serially is None:
            serially = kind is OperationType.MUTATION
        try:
            self.compiled.root_fields(root_type)
        except (GraphQLError, RecursionError):  # the stock executor says what is wrong
            return super().execute_operation(serially)
        try:
            result = self.execute_collected_root_fields(
                root_type, self.root_value, {}, serially, []
            )
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self.build_response(None)
        if self.is_awaitable(result):
            return self._responded(result)
        return self.build_response(cast("dict[str, Any]", result))

    async def _responded(self, result: Awaitable[dict[str, Any]]) -> Any:  # noqa: ANN401 - as above
        try:
            data = await result
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self.build_response(None)
        return self.build_response(data)

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: object,
        grouped_field_set: GroupedFieldSet,
        serially: bool,  # noqa: FBT001 - the base class gives it
        new_defer_usages: Sequence[DeferUsage],
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Execute the operation's fields, by lists of fields that all executions share."""
        if self.compiled:
            grouped_field_set = self.compiled.root_fields(root_type)
        return super().execute_collected_root_fields(
            root_type, root_value, grouped_field_set, serially, new_defer_usages
        )

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_details_list: FieldDetailsList
    ) -> CollectedFields:
        """Return the fields of an object, as earlier executions found them."""
        if self.compiled:
            return self.compiled.subfields(return_type, field_details_list)
        return super().collect_subfields(return_type, field_details_list)

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: object,
    ) -> AwaitableOrValue[Any] | UndefinedType:
        """Read a field and complete it, by a compiled function where it is plain data."""
        if operation := self.compiled:
            key = (parent_type.name, id(field_details_list))
            attempt = operation.attempts.get(key)
            if attempt is None:
                attempt = operation.field(key, parent_type, field_details_list)
            completed = attempt(source, self.variable_values)
            if completed is not FAILED:
                return completed
            calls = operation.calls
            if call := (
                calls[key] if key in calls else operation.call(key, parent_type, field_details_list)
            ):
                nodes = [one.node for one in field_details_list]
                info = self.build_resolve_info(call.definition, nodes, parent_type, path)
                if bound := call.bound(source, info, self.variable_values):
                    execute = self._called_later if call.is_async else self._called
                    return execute(bound, field_details_list, info, path, position_context)
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    def complete_value(
        self,
        return_type: GraphQLOutputType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: object,
        position_context: object,
    ) -> AwaitableOrValue[Any]:
        """Complete what a resolver returned, or an item of such a list."""
        if operation := self.compiled:
            key = (id(return_type), id(field_details_list))
            attempt = operation.attempts.get(key)
            if attempt is None:
                attempt = operation.value(key, return_type, field_details_list, info.return_type)
            completed = attempt(result, self.variable_values)
            if completed is not FAILED:
                return completed
        return super().complete_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: object,
        position_context: object,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Complete an object whose type is known by now."""
        if operation := self.compiled:
            key = ("object", return_type.name, id(field_details_list))
            attempt = operation.attempts.get(key)
            if attempt is None:
                attempt = operation.object(key, return_type, field_details_list)
            completed = attempt(result, self.variable_values)
            if completed is not FAILED:
                return cast("dict[str, Any]", completed)
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )


def execute(
    schema: GraphQLSchema, document: DocumentNode, *arguments: object, operations: Operations
) -> AwaitableOrValue[ExecutionResult]:
    """Execute an operation as the function of that name does, past what that does each time."""
    built = CompilingExecutor.build(schema, document, *arguments, operations=operations)
    if isinstance(built, list):
        return ExecutionResult(None, built)
    return cast("AwaitableOrValue[ExecutionResult]", built.execute_operation())


def _is_usual(executor: CompilingExecutor) -> bool:
    return (
        executor.middleware_manager is None
        and executor.field_resolver is default_field_resolver
        and executor.type_resolver is default_type_resolver
        and executor.is_awaitable in _USUAL_PREDICATES
        and executor.abort_signal is None
    )
