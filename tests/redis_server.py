"""A real Redis on a free port, where one is installed."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from redis import Redis
from redis.exceptions import RedisError

BINARY = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    BINARY is None, reason="no redis-server is installed; apt-get install redis-server brings it"
)


class RedisServer:
    """One redis-server process that keeps nothing on disk."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when it answers."""
        assert BINARY
        command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not self._answers():
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Stop the process as it is, so that it accepts connections and answers nothing."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> Redis:
        """Return a client for the test itself."""
        return Redis.from_url(self.url)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                client.ping()
            except RedisError:
                return False
            return True


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Start a Redis, and end it by its process id."""
    server = RedisServer()
    server.start()
    try:
        yield server
    finally:
        server.kill()
