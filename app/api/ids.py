"""Global ids: opaque, permanent, and the same in every process."""

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

# Most of the entries that are shown are shown again: those of a hundred pages, in two megabytes.
_MOST_WRITTEN = 5000
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class NodeKind(StrEnum):
    CUSTOMER = "c"
    ACCOUNT = "a"
    CREDIT_CHANGE = "e"
    PAYMENT = "p"


class NodeId(NamedTuple):
    """What a global id names: a customer, an account, or an entry of an account."""

    kind: NodeKind
    owner: str
    entry: str | None = None


def written(node: NodeId) -> str:
    if node.entry is not None:
        return written_entry(node.kind, node.owner, node.entry)
    return _encoded(node.kind, node.owner)


@lru_cache(_MOST_WRITTEN)
def written_entry(kind: NodeKind, owner: str, entry: str) -> str:
    """Return the id of an entry, of which a page has many."""
    return _encoded(kind, f"{owner}:{entry}")


def _encoded(kind: NodeKind, rest: str) -> str:
    encoded = b2a_base64((kind + ":" + rest).encode(), newline=False)
    return encoded.translate(_URL_SAFE).rstrip(b"=").decode()


def read(text: str) -> NodeId | None:
    """Return what the id names; None for a text that is no id of ours."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        kind, owner, *entry = raw.split(":", 2)
        node = NodeId(NodeKind(kind), owner, entry[0] if entry else None)
    except (Base64Error, ValueError):
        return None
    is_entry = node.kind in {NodeKind.CREDIT_CHANGE, NodeKind.PAYMENT}
    return node if is_entry == (node.entry is not None) and written(node) == text else None
