"""What operations cost that were asked before: most callers ask the same again and again."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from weakref import finalize

import orjson
from graphql import DocumentNode, OperationDefinitionNode

from app.api.costs.costs import Costs

# Half a megabyte for a hundred documents, if all of them were asked with as many variables.
_MOST_OF_ONE = 64


class RememberedCosts:
    """Computes costs once for equal variables, of which it keeps but hashes."""

    def __init__(self, costs: Costs) -> None:
        self._costs = costs
        # By the identity of operations, each as long as it is there.
        self._known: dict[int, dict[bytes, int]] = {}

    def requested(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        """Return what an operation costs, as `Costs.requested` does."""
        try:
            key = blake2b(orjson.dumps(variables), digest_size=16).digest()
        except TypeError:  # a whole number of more than 64 bits, for one
            return self._costs.requested(document, operation, variables)
        known = self._known.get(id(operation))
        if known is None:
            known = self._known[id(operation)] = {}
            finalize(operation, self._known.pop, id(operation), None).atexit = False
        cost = known.get(key)
        if cost is None:
            cost = self._costs.requested(document, operation, variables)
            if len(known) >= _MOST_OF_ONE:
                known.clear()
            known[key] = cost
        return cost
