"""What is written within a part of a document."""

from collections.abc import Iterator

from graphql import Node, VariableNode


def variables_of(part: Node) -> Iterator[VariableNode]:
    """Yield each variable that is used within a part of a document."""
    return (node for node in nodes_of(part) if isinstance(node, VariableNode))


def nodes_of(part: Node) -> Iterator[Node]:
    """Yield a part of a document and everything in it."""
    nodes: list[Node] = [part]
    for node in nodes:
        yield node
        nodes += _within(node)


def _within(node: Node) -> Iterator[Node]:
    for key in node.keys:
        value = getattr(node, key, None)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from value
