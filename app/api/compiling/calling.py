"""Calling resolvers, and completing what they return."""

from collections.abc import Awaitable, Callable
from typing import Any

from graphql import Executor, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import AwaitableOrValue, Path


class Calling(Executor[Any]):
    """An executor that calls resolvers whose arguments are bound already."""

    def _called(
        self,
        bound: Callable[[], object],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        position_context: object,
    ) -> AwaitableOrValue[Any]:
        """Call a resolver and complete what it returns."""
        type_ = info.return_type
        try:
            result = bound()
            if self.is_awaitable(result):
                return self.complete_awaitable_value(
                    type_, field_details_list, info, path, result, position_context
                )
            completed = self.complete_value(
                type_, field_details_list, info, path, result, position_context
            )
            if self.is_awaitable(completed):
                return self._completed_later(completed, field_details_list, info, path)
        except Exception as error:  # noqa: BLE001 - as in the stock executor
            self.handle_field_error(error, type_, field_details_list, path)
            return None
        return completed

    async def _called_later(
        self,
        bound: Callable[[], Awaitable[object]],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        position_context: object,
    ) -> Any:  # noqa: ANN401 - it is whatever the field is of
        """Call a resolver, await what it returns, and complete that."""
        type_ = info.return_type
        try:
            completed = self.complete_value(
                type_, field_details_list, info, path, await bound(), position_context
            )
            if self.is_awaitable(completed):
                completed = await completed
        except Exception as error:  # noqa: BLE001 - as above
            self.handle_field_error(error, type_, field_details_list, path)
            return None
        return completed

    async def _completed_later(
        self,
        completed: Awaitable[Any],
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
    ) -> Any:  # noqa: ANN401 - as above
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 - as above
            self.handle_field_error(error, info.return_type, field_details_list, path)
            return None
