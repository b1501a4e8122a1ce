"""Objects of answers as they were written, for the next answers that they are in."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import orjson
from graphql import FragmentSpreadNode, GraphQLObjectType, Node, VariableNode
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails
from strawberry.schema.schema_converter import GraphQLCoreConverter

from app.api.compiling.readings import is_plain
from app.api.compiling.walking import nodes_of

# A class of Strawberry that has this names attributes by it, whose values never change, and of
# which alone everything is made that can be compiled of its objects.
KEPT_BY = "__kept_by__"

# Some twenty thousand rows, or four hundred pages of fifty.
_MOST_BYTES = 32 << 20
# Beside its text: its key, and what it is made of, which nobody else may hold any more.
_WEIGHT = 1200
# A hundred pages of fifty; some 5 MB, if nobody else holds any more what they are made of.
_MOST_NOTED = 5_000

_Key = tuple[int, ...]


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
        self._known: dict[_Key, tuple[orjson.Fragment, tuple[object, ...]]] = {}
        self.names: Mapping[str, object] = {"kept": self._known, "keep": self._keep}

    @property
    def count(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        """Let go of everything that was written, and of what it was made of."""
        self._known.clear()
        self._noted.clear()
        self.bytes = 0

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

    def _keep(self, key: _Key, made_of: tuple[object, ...], made: dict[str, Any]) -> object:
        if key not in self._noted:
            if len(self._noted) >= _MOST_NOTED:
                self._noted.clear()
            self._noted[key] = made_of
            return made
        del self._noted[key]
        text = orjson.dumps(made)
        weight = len(text) + _WEIGHT
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

    def _made_of(self, type_: GraphQLObjectType, details: FieldDetailsList) -> Sequence[str]:
        """Return the attributes by which an object is kept; none where it is not.

        What depends on variables is another thing each time.
        """
        definition = type_.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        origin = getattr(definition, "origin", None)
        attributes: Sequence[str] = getattr(origin, KEPT_BY, ())
        if origin is None or not attributes or not is_plain(origin, attributes):
            return ()
        selected = [one.node.selection_set for one in details if one.node.selection_set]
        return () if self._use_variables(selected) else attributes

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
