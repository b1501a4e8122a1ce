"""A real Redis Cluster of three primaries and three replicas on free ports."""

import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from redis import Connection
from redis.crc import key_slot
from redis.exceptions import RedisError
from redis_server import RedisServer

_SLOTS = 16384
_PRIMARIES = 3
_NODE_TIMEOUT_MS = 1000
# The bus is 10,000 above; both stay below the ports that the system gives to clients.
_PORTS = range(11_000, 22_000)


class RedisCluster:
    """Six redis-server processes; the first three begin as primaries."""

    def __init__(self, folder: str, lost_after_ms: int) -> None:
        self.nodes = [
            RedisServer(
                *("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"),
                *("--cluster-config-file", f"{folder}/nodes-{port}.conf", "--dir", folder),
                *("--cluster-node-timeout", str(lost_after_ms)),
                *("--cluster-replica-validity-factor", "0"),
                # A replica that has heard nothing from its primary is not told to clients.
                *("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"),
                port=port,
            )
            for port in _free_ports(2 * _PRIMARIES)
        ]
        self.url = self.url_of(self.nodes)

    def url_of(self, nodes: list[RedisServer]) -> str:
        """Return the address that names these nodes as the ones to start from."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)

    def primary_of(self, key: str) -> RedisServer:
        """Return the node that owns a key, as most living nodes see it."""
        slot = key_slot(key.encode())
        seen = [port for node in self.nodes if (port := _owner(node, slot))]
        port = max(set(seen), key=seen.count)
        return next(node for node in self.nodes if node.port == port)

    def keys_elsewhere(self, key: str) -> str:
        """Return a key that another primary owns."""
        owner = self.primary_of(key)
        return next(
            name for n in range(999) if self.primary_of(name := f"other{n}").port != owner.port
        )

    def form(self) -> None:
        """Return when all six agree that the Cluster is whole."""
        share = -(-_SLOTS // _PRIMARIES)
        for n, node in enumerate(self.nodes):
            if n < _PRIMARIES:
                last = min((n + 1) * share, _SLOTS) - 1
                _command(node, "CLUSTER", "ADDSLOTSRANGE", n * share, last)
                _command(node, "CLUSTER", "SET-CONFIG-EPOCH", n + 1)
            for other in self.nodes[:n]:
                _command(node, "CLUSTER", "MEET", "127.0.0.1", other.port)
        until(lambda: all(_known(node) == len(self.nodes) for node in self.nodes))
        for replica, primary in zip(self.nodes[_PRIMARIES:], self.nodes, strict=False):
            _command(replica, "CLUSTER", "REPLICATE", _command(primary, "CLUSTER", "MYID"))
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Return when each primary has its replica again."""
        until(lambda: all(_is_whole(node) for node in self.nodes))


@contextmanager
def redis_cluster(lost_after_ms: int = _NODE_TIMEOUT_MS) -> Iterator[RedisCluster]:
    """
    Start a Redis Cluster, and end its processes by their ids.

    Where no node is to be lost, a long time keeps those that stand still from being taken so.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        cluster = RedisCluster(folder, lost_after_ms)
        for node in cluster.nodes:
            node.start()
            stack.callback(node.kill)
        cluster.form()
        yield cluster


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come to hold"
        time.sleep(0.02)


def _free_ports(count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        port = random.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):  # noqa: SIM117
            with socket.create_server(("127.0.0.1", port + 10_000)):
                if port not in found:
                    found.append(port)
    return found


def _command(node: RedisServer, *command: str | int | bytes) -> Any:  # noqa: ANN401 (as Redis has it)
    """Return what Redis answers, as it is."""
    connection = Connection(port=node.port, socket_timeout=20, protocol=2)  # type: ignore[no-untyped-call]
    try:
        connection.send_command(*command)  # type: ignore[no-untyped-call]
        return connection.read_response()
    finally:
        connection.disconnect()  # type: ignore[no-untyped-call]


def _owner(node: RedisServer, slot: int) -> int | None:
    try:
        ranges = _command(node, "CLUSTER", "SLOTS")
    except RedisError:
        return None
    return next((row[2][1] for row in ranges if row[0] <= slot <= row[1]), None)


def _known(node: RedisServer) -> int:
    return len([line for line in _command(node, "CLUSTER", "NODES").splitlines() if line])


def _is_whole(node: RedisServer) -> bool:
    state = b"cluster_state:ok" in _command(node, "CLUSTER", "INFO")
    rows = _command(node, "CLUSTER", "SLOTS")
    replication = _command(node, "INFO", "replication")
    return (
        state
        and len(rows) == _PRIMARIES
        and all(len(row) == 4 for row in rows)  # from, to, primary, replica
        and (b"role:master" in replication or b"master_link_status:up" in replication)
    )
