"""Which entries an export is asked for: names and texts, as a URL's query or a shell has them."""

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLLeafType,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_list_type,
)
from strawberry.exceptions import StrawberryInputCoercionError
from strawberry.schema.schema_converter import GraphQLCoreConverter

from app.api.execution import graphql_schema
from app.api.types.inputs import CreditChangeFilter, HistoryOrder, PaymentFilter
from app.history.filter import HistoryFilter
from app.model.entries import Stream
from app.model.errors import BadUserInput

Given = Iterable[tuple[str, str]]

_FILTERS: Mapping[Stream, type[CreditChangeFilter] | type[PaymentFilter]] = {
    Stream.CREDIT_CHANGES: CreditChangeFilter,
    Stream.PAYMENTS: PaymentFilter,
}
_ORDER = "orderBy"


class Asked(NamedTuple):
    """What is exported of a customer, and from which end on."""

    stream: Stream
    chosen: HistoryFilter
    oldest_first: bool


class _Parameter(NamedTuple):
    attribute: str
    type: GraphQLLeafType
    is_list: bool

    def read(self, name: str, text: str) -> Any:  # noqa: ANN401 - it is of many types
        try:
            return self.type.coerce_input_value(text)
        except (GraphQLError, StrawberryInputCoercionError, ValueError) as error:
            if is_enum_type(self.type):
                told = f"It is one of {', '.join(self.type.values)}"
                told += f"; give `{name}` again for another one." if self.is_list else "."
            else:
                told = str(error)
            raise BadUserInput(f"`{name}` cannot be read. {told}") from None


def asked(stream: Stream, given: Given, configured: Collection[str]) -> Asked:
    """Return what is asked for by the fields of GraphQL's filter and by `orderBy`.

    A list's name is given once for each of its values. Raises `BadUserInput`, which quotes none.
    """
    parameters = _parameters(stream)
    values: dict[str, Any] = {}
    for name, text in given:
        parameter = parameters.get(name)
        if parameter is None:
            raise BadUserInput(f"What can be given is {', '.join(parameters)}; no other name.")
        value = parameter.read(name, text)
        if parameter.is_list:
            values.setdefault(parameter.attribute, []).append(value)
        elif parameter.attribute in values:
            raise BadUserInput(f"`{name}` is given more than once; it has one value.")
        else:
            values[parameter.attribute] = value
    order = values.pop(_ORDER, HistoryOrder.NEWEST_FIRST)
    chosen = _FILTERS[stream](**values).chosen(configured)
    return Asked(stream, chosen, order is HistoryOrder.OLDEST_FIRST)


@cache
def _parameters(stream: Stream) -> Mapping[str, _Parameter]:
    """Return how each of the names is read, as the schema has it."""
    fields = cast(
        "GraphQLInputObjectType", graphql_schema.type_map[_FILTERS[stream].__name__]
    ).fields
    parameters = {
        name: _Parameter(
            field.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].python_name,
            cast("GraphQLLeafType", get_named_type(field.type)),
            is_list_type(get_nullable_type(field.type)),
        )
        for name, field in fields.items()
    }
    order = cast("GraphQLLeafType", graphql_schema.type_map[HistoryOrder.__name__])
    return {**parameters, _ORDER: _Parameter(_ORDER, order, is_list=False)}
