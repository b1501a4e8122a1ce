"""What operations cost that were asked before: most callers ask the same again and again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from weakref import finalize

import orjson
from graphql import DocumentNode, OperationDefinitionNode

from app.api.costs.costs import Costs

# Half a megabyte for a hundred documents, if all of them were asked with as many variables.
_MOST_OF_ONE = 64


class _Watched(Mapping[str, Any]):
    """Variables, and the names of those that were looked at."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> object:
        self.names.add(name)
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        self.names.update(self._variables)
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)


@dataclass
class _Known:
    """The costs of one operation, by the variables that any of them came from."""

    names: frozenset[str] = frozenset()
    costs: dict[bytes, int] = field(default_factory=dict)

    def key(self, variables: Mapping[str, Any]) -> bytes:
        if not self.names:
            return b""
        told = {name: variables[name] for name in sorted(self.names) if name in variables}
        return blake2b(orjson.dumps(told), digest_size=16).digest()


class RememberedCosts:
    """Computes costs once for equal variables, of which it keeps but hashes.

    Variables that no cost came from are left out: a customer's reference is another one each time.
    """

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        # By the identity of operations, each as long as it is there.
        self._known: dict[int, _Known] = {}

    def requested(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        """Return what an operation costs, as `Costs.requested` does."""
        known = self._known.get(id(operation))
        if known is None:
            known = self._known[id(operation)] = _Known()
            finalize(operation, self._known.pop, id(operation), None).atexit = False
        try:
            cost = known.costs.get(known.key(variables))
            if cost is None:
                cost = self._computed(document, operation, variables, known)
        except TypeError:  # a whole number of more than 64 bits, for one
            return self._costs.requested(document, operation, variables)
        return cost

    def _computed(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        known: _Known,
    ) -> int:
        watched = _Watched(variables)
        cost = self._costs.requested(document, operation, watched)
        if not watched.names <= known.names:
            known.names |= watched.names
            known.costs.clear()  # they are known by fewer
        if len(known.costs) >= _MOST_OF_ONE:
            known.costs.clear()
        known.costs[known.key(variables)] = cost
        return cost
