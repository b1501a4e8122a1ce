"""Objects of answers as they were written, for the next answers that they are in."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

import orjson
from graphql import FragmentSpreadNode, GraphQLObjectType, Node, VariableNode
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails
from strawberry.schema.schema_converter import GraphQLCoreConverter

from app.api.compiling.readings import is_plain
from app.api.compiling.walking import nodes_of

# A class of Strawberry that has this names attributes by it, whose values never change, and of
# which alone everything is made that can be compiled of its objects.
KEPT_BY = "__kept_by__"

T_co = TypeVar("T_co", covariant=True)

# Some twenty thousand rows, or four hundred pages of fifty.
_MOST_BYTES = 32 << 20
# Beside its text: its key, and what it is made of, which nobody else may hold any more.
_WEIGHT = 1200
# A hundred pages of fifty; some 5 MB, if nobody else holds any more what they are made of.
_MOST_NOTED = 5_000

_Key = tuple[int, ...]


class Lasting(tuple[T_co, ...]):
    """A list that is there for long, and whose items are plain data that never change.

    Where a selection has no variables, it is written but once as a whole, too.
    """

    __slots__ = ()


class Kept:
    """What was written, in about so many bytes; an object is kept once it is met again.

    When there is no room for more, all is forgotten: to write it again takes some microseconds.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.bytes = 0
        self._numbers = count()
        # With what they are made of, so that nothing else is at its place in memory.
        self._noted: dict[_Key, tuple[object, ...]] = {}
        self._noted_rows = 0
        self._known: dict[_Key, tuple[orjson.Fragment, tuple[object, ...]]] = {}
        self.names: Mapping[str, object] = {
            "Lasting": Lasting,
            "kept": self._known,
            "keep": self._keep,
            "keep_list": self._keep_list,
        }

    @property
    def count(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        """Let go of everything that was written, and of what it was made of."""
        self._known.clear()
        self._noted.clear()
        self._noted_rows = self.bytes = 0

    def ending(self, made_of: Sequence[str], made: str) -> list[str]:
        """Return the last lines of a function of a source `s`, which use the `names`.

        They return what `made` makes, or how that was written.
        """
        ids = ", ".join(f"id(s.{one})" for one in made_of)
        return [
            f"    k = ({next(self._numbers)}, {ids})",
            "    if (m := kept.get(k)) is not None:",
            "        return m[0]",
            f"    return keep(k, ({''.join(f's.{one}, ' for one in made_of)}), {made})",
        ]

    def ending_of_list(self, made: str) -> list[str]:
        """Return lines of a function of a list `v`, for one that lasts; they are as above."""
        return [
            "    if type(v) is Lasting:",
            f"        k = ({next(self._numbers)}, id(v))",
            "        if (m := kept.get(k)) is not None:",
            "            return m[0]",
            f"        return keep_list(k, v, {made})",
        ]

    def _keep(self, key: _Key, made_of: tuple[object, ...], made: dict[str, Any]) -> object:
        return self._met(key, made_of, made, 1)

    def _keep_list(self, key: _Key, of: Lasting[object], made: list[Any]) -> object:
        return self._met(key, (of,), made, max(len(of), 1))

    def _met(self, key: _Key, made_of: tuple[object, ...], made: object, rows: int) -> object:
        if key not in self._noted:
            if self._noted_rows + rows > _MOST_NOTED:
                self._noted.clear()
                self._noted_rows = 0
            self._noted[key] = made_of
            self._noted_rows += rows
            return made
        del self._noted[key]
        self._noted_rows -= rows
        text = orjson.dumps(made)
        weight = len(text) + _WEIGHT * rows
        if self.bytes + weight > self._most_bytes:
            self.forget()
        self.bytes += weight
        written = orjson.Fragment(text)
        self._known[key] = (written, made_of)
        return written


class Keeping:
    """How objects of one operation are kept; without `kept` they are not."""

    def __init__(self, kept: Kept | None, fragments: Mapping[str, FragmentDetails]) -> None:
        self._kept = kept
        self._fragments = fragments
        self.names: Mapping[str, object] = {} if kept is None else kept.names

    def ending(self, type_: GraphQLObjectType, details: FieldDetailsList, made: str) -> list[str]:
        """Return the last lines of a function of a source `s`, which return what `made` makes."""
        made_of = self._made_of(type_, details)
        if self._kept is None or not made_of:
            return [f"    return {made}"]
        return self._kept.ending(made_of, made)

    def ending_of_list(self, details: FieldDetailsList, made: str) -> list[str]:
        """Return lines of a function of a list `v`, for one that lasts; none for all others."""
        if self._kept is None or self._use_variables(_selected(details)):
            return []
        return self._kept.ending_of_list(made)

    def _made_of(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Sequence[str]:
        """Return the attributes by which an object is kept; none where it is not.

        What depends on variables is another thing each time.
        """
        definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        origin = getattr(definition, "origin", None)
        attributes: Sequence[str] = getattr(origin, KEPT_BY, ())
        if origin is None or not attributes or not is_plain(origin, attributes):
            return ()
        return () if self._use_variables(_selected(details)) else attributes

    def _use_variables(self, parts: Iterable[Node]) -> bool:
        """Say whether there is a variable in parts of a document, or in what is spread there."""
        left, spread = list(parts), set[str]()
        for part in left:
            for node in nodes_of(part):
                if isinstance(node, VariableNode):
                    return True
                if isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                    spread.add(node.name.value)
                    left.append(self._fragments[node.name.value].definition)
        return False


def _selected(details: FieldDetailsList) -> list[Node]:
    return [one.node.selection_set for one in details if one.node.selection_set]
