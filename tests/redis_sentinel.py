"""A real primary with a replica, watched by Sentinels, on free ports."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis_cluster import until
from redis_server import RedisServer, free_port

_DOWN_AFTER_MS = 500


class Sentinels:
    """Two redis-server processes, and others that choose which of them is the primary."""

    name = "main"

    def __init__(self, folder: Path, count: int, lost_after_ms: int) -> None:
        self._lost_after_ms = lost_after_ms
        self.servers = [
            RedisServer("--repl-diskless-sync-delay", "0", "--dir", str(folder)) for _ in range(2)
        ]
        self.sentinels = [self._sentinel(folder, count // 2 + 1) for _ in range(count)]
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        self.url = f"redis+sentinel://{hosts}/{self.name}"

    def start(self, stack: ExitStack) -> None:
        """Return when the Sentinels know the primary and the replica."""
        primary, replica = self.servers
        for server in self.servers:
            server.start()
            stack.callback(server.kill)
        with replica.client() as client:
            client.replicaof("127.0.0.1", str(primary.port))
            until(lambda: client.info("replication")["master_link_status"] == "up")
        for sentinel in self.sentinels:
            sentinel.start()
            stack.callback(sentinel.kill)
        for sentinel in self.sentinels:
            with Redis(port=sentinel.port) as asked:
                until(lambda asked=asked: self._is_ready(asked))  # type: ignore[misc]

    def primary(self) -> RedisServer:
        """Return the primary as the last Sentinel sees it."""
        with Redis(port=self.sentinels[-1].port) as asked:
            _, port = asked.sentinel_get_master_addr_by_name(self.name)
        return next(server for server in self.servers if server.port == port)

    def _sentinel(self, folder: Path, quorum: int) -> RedisServer:
        port = free_port()
        settings = folder / f"sentinel-{port}.conf"
        settings.write_text(
            f"sentinel monitor {self.name} 127.0.0.1 {self.servers[0].port} {quorum}\n"
            f"sentinel down-after-milliseconds {self.name} {self._lost_after_ms}\n"
            f"sentinel failover-timeout {self.name} 3000\n"
        )
        return Sentinel(settings, port)

    def _is_ready(self, asked: Redis) -> bool:
        state: Any = asked.sentinel_master(self.name)
        return bool(
            state["num-slaves"] == 1 and state["num-other-sentinels"] == len(self.sentinels) - 1
        )


class Sentinel(RedisServer):
    """One Sentinel process, which keeps what it knows in its settings file."""

    def __init__(self, settings: Path, port: int) -> None:
        super().__init__(port=port)
        self._settings = settings

    @property
    def arguments(self) -> list[str]:
        """What redis-server is started with."""
        return [str(self._settings), "--sentinel", "--port", str(self.port), "--bind", "127.0.0.1"]


@contextmanager
def redis_sentinels(count: int = 1, lost_after_ms: int = _DOWN_AFTER_MS) -> Iterator[Sentinels]:
    """
    Start a primary, a replica and Sentinels, and end the processes by their ids.

    Where no primary is to be lost, a long time keeps those that stand still from being taken so.
    """
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sentinels = Sentinels(Path(folder), count, lost_after_ms)
        sentinels.start(stack)
        yield sentinels
