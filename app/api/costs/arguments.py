"""
A field's arguments before anybody has checked them.

Nothing here raises: what is of another type than it should be is UNREADABLE, and will be refused
when the operation is executed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    EnumValueNode,
    FieldNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    StringValueNode,
    ValueNode,
    VariableNode,
)

UNREADABLE: Final = object()
_ABSENT: Final = object()
# No argument of ours takes a longer one, and Python refuses to read some thousands.
_MOST_DIGITS = 18


class Variables:
    """The variables of one request; a default stands where none was sent."""

    def __init__(self, operation: OperationDefinitionNode, sent: Mapping[str, Any]) -> None:
        self._sent = sent
        self._defaults = {
            one.variable.name.value: one.default_value
            for one in operation.variable_definitions or ()
            if one.default_value is not None
        }

    def value(self, name: str) -> object:
        if name in self._sent:
            return self._sent[name]
        default = self._defaults.get(name)
        return _ABSENT if default is None else self.read(default)

    def read(self, node: ValueNode, *, inner: bool = False) -> object:
        """Return what a value means; a list or an object within another is UNREADABLE."""
        match node:
            case VariableNode():
                return self.value(node.name.value)
            case NullValueNode():
                return None
            case IntValueNode() if len(node.value) <= _MOST_DIGITS:
                return int(node.value)
            case StringValueNode() | EnumValueNode() | BooleanValueNode():
                return node.value
        return UNREADABLE if inner else self._members(node)

    def _members(self, node: ValueNode) -> object:
        if isinstance(node, ListValueNode):
            return [self.read(one, inner=True) for one in node.values]
        if isinstance(node, ObjectValueNode):
            fields = {one.name.value: self.read(one.value, inner=True) for one in node.fields}
            return {name: one for name, one in fields.items() if one is not _ABSENT}
        return UNREADABLE


class Arguments:
    """The arguments of one field, or of one directive."""

    def __init__(self, node: FieldNode | DirectiveNode, variables: Variables) -> None:
        self._nodes = {one.name.value: one.value for one in node.arguments or ()}
        self._variables = variables

    def value(self, name: str) -> object:
        """Return an argument as it is; None where it is null or not there."""
        node = self._nodes.get(name)
        found = None if node is None else self._variables.read(node)
        return None if found is _ABSENT else found

    def texts(self, name: str) -> Sequence[object]:
        """Return the members of a list; one value alone is a list of it."""
        found = self.value(name)
        if found is None:
            return ()
        return found if isinstance(found, list) else [found]

    def has(self, name: str) -> bool:
        """Say whether an argument is there and holds anything that is not null."""
        found = self.value(name)
        if isinstance(found, Mapping):
            return any(one is not None for one in found.values())
        return found is not None

    def rows(self, default: int, limit: int) -> int:
        """Return how many rows a connection's `first` or `last` asks for.

        More than the limit is refused later, so that it counts as the limit.
        """
        asked = [one for name in ("first", "last") if (one := self.value(name)) is not None]
        if not asked:
            return min(default, limit)
        # A bool is no number, and `true` would be one.
        return max(min(max(n, 0), limit) if type(n) is int else limit for n in asked)

    def days(self, start: str, end: str) -> int | None:
        """Return how many days are between two instants; None where one is not there."""
        first, last = self.value(start), self.value(end)
        if first is None or last is None:
            return None
        try:
            between = datetime.fromisoformat(str(last)) - datetime.fromisoformat(str(first))
        except (ValueError, TypeError):  # no instant, or one of them without an offset
            return timedelta.max.days
        return max(between.days + 1, 0)
