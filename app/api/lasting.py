"""Which documents ask for nothing but what their sources and the directory's records tell."""

from graphql import (
    BREAK,
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    VisitorAction,
    visit,
)

# How a provider does, and who is found by a search, changes while nothing tells of it.
_PASSING = {("Provider", "state"), ("Provider", "since"), ("Query", "customers")}


def lasts(schema: GraphQLSchema, document: DocumentNode) -> bool:
    """Say whether answers to a document may be given again while what they are made of lasts."""
    types = TypeInfo(schema)
    looking = _Looking(types)
    visit(document, TypeInfoVisitor(types, looking))
    return not looking.found


class _Looking(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.found = False

    def enter_operation_definition(
        self, node: OperationDefinitionNode, *_: object
    ) -> VisitorAction:
        return self._stop(node.operation is not OperationType.QUERY)

    def enter_field(self, node: FieldNode, *_: object) -> VisitorAction:
        parent = self._types.get_parent_type()
        return self._stop(parent is not None and (parent.name, node.name.value) in _PASSING)

    def _stop(self, found: bool) -> VisitorAction:  # noqa: FBT001 - the one question
        self.found = self.found or found
        return BREAK if found else None
