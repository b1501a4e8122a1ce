"""What is known of operations from earlier executions: their fields, and functions for them."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from threading import Lock
from typing import NamedTuple
from weakref import ReferenceType, ref

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from app.api.compiling.beginning import Beginning, beginning_of
from app.api.compiling.kept import Keeping, Kept
from app.api.compiling.oddity import Attempt
from app.api.compiling.resolvers import Call, call_of
from app.api.compiling.walking import nodes_of, variables_of
from app.api.compiling.writing import Function, Writer

_CONDITIONS = {"skip", "include"}
_INCREMENTAL = {"defer", "stream"}
_ABSENT = object()

# The document, the operation, and the values of its conditions.
_Key = tuple[int, int, tuple[Hashable, ...]]


class Request(NamedTuple):
    """What an executor was built for."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    variables: VariableValues


# An answer of thousands of selections that differ is remembered no longer than the next begins.
_MOST_SELECTIONS = 5000


class Operation:
    """An operation whose conditions came out one way; all executions of that share it.

    It is asked by the identity of lists of fields, all of which it gave out itself and keeps.
    """

    def __init__(
        self, request: Request, conditions: VariableValues, kept: Kept | None = None
    ) -> None:
        self._schema = request.schema
        self._fragments = request.fragments
        self._node = request.operation
        self._conditions = conditions
        self._roots: dict[str, GroupedFieldSet] = {}
        self._collected: dict[Hashable, CollectedFields] = {}
        self._writer = Writer(
            request.schema,
            lambda *which: self.subfields(*which).grouped_field_set,
            Keeping(kept, request.fragments),
        )
        self.attempts: dict[Hashable, Attempt] = {}
        self.calls: dict[Hashable, Call | None] = {}

    @property
    def is_large(self) -> bool:
        """Say whether it takes more room than an operation should for good."""
        return len(self._collected) + len(self.attempts) + len(self.calls) > _MOST_SELECTIONS

    def root_fields(self, type_: GraphQLObjectType) -> GroupedFieldSet:
        """Return the fields of the operation itself."""
        found = self._roots.get(type_.name)
        if found is None:
            collected = collect_fields(
                self._schema, self._fragments, self._conditions, type_, self._node
            )
            found = self._roots.setdefault(type_.name, collected.grouped_field_set)
        return found

    def subfields(self, type_: GraphQLObjectType, details: FieldDetailsList) -> CollectedFields:
        """Return the fields of the selections of some fields, for an object of a type."""
        key = (type_.name, id(details))
        found = self._collected.get(key)
        if found is None:
            collected = collect_subfields(
                self._schema, self._fragments, self._conditions, self._node, type_, details
            )
            found = self._collected.setdefault(key, collected)
        return found

    def field(self, key: Hashable, parent: GraphQLObjectType, details: FieldDetailsList) -> Attempt:
        """Return what reads a field and completes it; it is kept under the key."""
        return self._attempt(key, lambda: self._writer.field(parent, details))

    def value(
        self,
        key: Hashable,
        type_: GraphQLOutputType,
        details: FieldDetailsList,
        of: GraphQLOutputType,
    ) -> Attempt:
        """Return what completes a value of a field of type `of`, or an item of its lists."""
        if any(one is type_ for one in _tried(of)):
            return self._attempt(key, lambda: self._writer.value(type_, details))
        return self.attempts.setdefault(key, Attempt(None))

    def object(self, key: Hashable, type_: GraphQLObjectType, details: FieldDetailsList) -> Attempt:
        """Return what completes an object."""
        return self._attempt(key, lambda: self._writer.object(type_, details))

    def call(
        self, key: Hashable, parent: GraphQLObjectType, details: FieldDetailsList
    ) -> Call | None:
        """Return how a field's resolver is called; None where that is for the stock executor.

        It is kept under the key.
        """
        try:
            call = call_of(self._schema, parent, details[0].node)
        except Exception:  # noqa: BLE001 - as in `_attempt`
            call = None
        return self.calls.setdefault(key, call)

    def _attempt(self, key: Hashable, write: Callable[[], Function]) -> Attempt:
        try:
            run: Function | None = write()
        except Exception:  # noqa: BLE001 - what cannot be compiled, for whatever reason, is not
            run = None
        return self.attempts.setdefault(key, Attempt(run))


def _tried(type_: GraphQLOutputType) -> Iterator[GraphQLOutputType]:
    """Yield the type of a field and those of the items of its lists, each with its NonNull."""
    yield type_
    inner = type_.of_type if is_non_null_type(type_) else type_
    if is_list_type(inner):
        yield from _tried(inner.of_type)


class _Document(NamedTuple):
    """The variables of its conditions, in an order; None where nothing of it can be shared.

    How its operations begin is known by the names that they were asked for by.
    """

    conditions: tuple[str, ...] | None
    reference: ReferenceType[DocumentNode]
    beginnings: dict[str | None, Beginning | None]


class Operations:
    """Remembers the `most` operations used last, each no longer than its document is there.

    Objects that stay as they are come out of it as they are `kept`, where there is room for that.
    """

    def __init__(self, schema: GraphQLSchema, most: int = 256, kept: Kept | None = None) -> None:
        self._schema = schema
        self._most = most
        self._kept = kept
        self._lock = Lock()
        self._known: OrderedDict[_Key, Operation] = OrderedDict()
        self._keys: dict[int, set[_Key]] = {}
        self._documents: dict[int, _Document] = {}
        # References tell it at any time, even while the lock is held.
        self._gone: deque[int] = deque()

    def __len__(self) -> int:
        return len(self._known)

    def operation(self, request: Request) -> Operation | None:
        """Return what is known of an operation; None where its executions share nothing."""
        if request.schema is not self._schema:
            return None
        with self._lock:
            identity = id(request.document)
            document = self._document(request.document)
            if document.conditions is None:
                return None
            coerced = request.variables.coerced
            values = tuple(coerced.get(name, _ABSENT) for name in document.conditions)
            key = (identity, id(request.operation), values)
            try:
                return self._remembered(key, request, document.conditions)
            except TypeError:  # a list is a condition, as the document was not validated
                return None

    def beginning(
        self, schema: GraphQLSchema, document: DocumentNode, operation_name: str | None
    ) -> Beginning | None:
        """Return how an execution begins; None where the stock executor has to find out."""
        if schema is not self._schema:
            return None
        with self._lock:
            known = self._document(document)
            if known.conditions is None:
                return None
            if operation_name not in known.beginnings:
                # One for each of its operations at most, and the one without a name.
                if len(known.beginnings) > len(document.definitions):
                    return None
                known.beginnings[operation_name] = beginning_of(schema, document, operation_name)
            return known.beginnings[operation_name]

    def _document(self, document: DocumentNode) -> _Document:
        while self._gone:
            self._forget(self._gone.popleft())
        found = self._documents.get(id(document))
        if found is None:
            found = self._documents[id(document)] = self._read(document)
        return found

    def _remembered(self, key: _Key, request: Request, conditions: tuple[str, ...]) -> Operation:
        known = self._known.get(key)
        if known is None or known.is_large:
            decided = _only(request.variables, conditions)
            known = self._known[key] = Operation(request, decided, self._kept)
            self._keys.setdefault(key[0], set()).add(key)
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            forgotten, _ = self._known.popitem(last=False)
            self._keys[forgotten[0]].discard(forgotten)
        return known

    def _read(self, document: DocumentNode) -> _Document:
        identity = id(document)
        return _Document(
            _conditions(document), ref(document, lambda _: self._gone.append(identity)), {}
        )

    def _forget(self, identity: int) -> None:
        del self._documents[identity]
        for key in self._keys.pop(identity, ()):
            del self._known[key]


def _conditions(document: DocumentNode) -> tuple[str, ...] | None:
    """Return the variables in conditions; None for what depends on more than those."""
    found: dict[str, None] = {}
    for node in nodes_of(document):
        if isinstance(node, FragmentDefinitionNode) and node.variable_definitions:
            return None
        if isinstance(node, DirectiveNode):
            if node.name.value in _INCREMENTAL:
                return None
            if node.name.value in _CONDITIONS:
                found |= {variable.name.value: None for variable in variables_of(node)}
    return tuple(found)


def _only(variables: VariableValues, names: tuple[str, ...]) -> VariableValues:
    """Return some of the variables: nobody's other values are kept for the next request."""
    return VariableValues(
        *({name: part[name] for name in names if name in part} for part in variables)
    )
