"""Which of the many errors of a Redis client mean that Redis cannot be used now."""

import builtins

from redis.exceptions import (
    ClusterDownError,
    ClusterError,
    ConnectionError,  # noqa: A004 (not a subclass of the built-in one)
    MaxConnectionsError,
    RedisClusterException,
    ResponseError,
    SlotNotCoveredError,
    TimeoutError,  # noqa: A004 (as above)
)

# Redis answers, and that it cannot: for now, for a part of the keys, or for writes only.
_REFUSALS = frozenset(
    {
        "ASK",
        "BUSY",
        "CLUSTERDOWN",
        "LOADING",
        "MASTERDOWN",
        "MISCONF",
        "MOVED",
        "NOREPLICAS",
        "OOM",
        "READONLY",
        "TRYAGAIN",
    }
)
# How redis-py begins to say that it found no usable Cluster; its other messages are about keys.
_NO_CLUSTER = ("Redis Cluster cannot be", "All slots are not", "startup_nodes could not")


def is_silence(error: Exception) -> bool:
    """Say whether the next operation would wait or fail as well, whatever it is."""
    if type(error) is RedisClusterException:
        return str(error).startswith(_NO_CLUSTER)
    if isinstance(error, MaxConnectionsError):
        return False
    gone = (ConnectionError, TimeoutError, SlotNotCoveredError, ClusterDownError, OSError)
    return isinstance(error, gone) or type(error) is ClusterError


def is_timeout(error: BaseException | None) -> bool:
    """Say whether a wait was over, whoever let it last so long."""
    return isinstance(error, (TimeoutError, builtins.TimeoutError))


def is_refusal(error: Exception) -> bool:
    """Say whether Redis is there and cannot do this now, or was not even asked."""
    if isinstance(error, MaxConnectionsError):
        return True
    return isinstance(error, ResponseError) and bool(_REFUSALS & set(_codes(error)))


def _codes(error: ResponseError) -> list[str]:
    # A transaction's error names the one behind it: "Transaction discarded because of: OOM …".
    text = str(error)
    return [error.status_code or "", text.partition(" ")[0], _word_after(text, "because of: ")]


def _word_after(text: str, mark: str) -> str:
    return text.partition(mark)[2].partition(" ")[0]
