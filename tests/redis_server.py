"""A real Redis on a free port, where one is installed."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle

import pytest
from canaries import look_through
from redis import Redis
from redis.exceptions import RedisError

BINARY = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(
    BINARY is None, reason="no redis-server is installed; apt-get install redis-server brings it"
)


# Above those that the system gives to clients: what stopped finds its port free when it is back.
_PORTS = range(61_000, 65_536)
# Processes side by side begin far from each other, and none takes a port twice soon.
_start = os.getpid() * 997 % len(_PORTS)
_in_turn: Iterator[int] = cycle([*_PORTS[_start:], *_PORTS[:_start]])


def free_port() -> int:
    """Return a port that nobody uses, nor will soon."""
    return next(filter(_is_free, _in_turn))


def _is_free(port: int) -> bool:
    with suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


class RedisServer:
    """One redis-server process that keeps nothing on disk."""

    def __init__(self, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self._options = options
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def arguments(self) -> list[str]:
        """What redis-server is started with."""
        listening = ["--port", str(self.port), "--bind", "127.0.0.1"]
        return [*listening, "--save", "", "--appendonly", "no", *self._options]

    def start(self) -> None:
        """Return when it answers."""
        assert BINARY
        self._process = subprocess.Popen(
            [BINARY, *self.arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
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

    def subscribers(self, channel: str) -> int:
        """Return how many clients of this server listen to a channel."""
        with self.client() as client:
            try:
                return int(client.pubsub_numsub(channel)[0][1])
            except RedisError:
                return 0

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
        with server.client() as client:
            look_through(client)
    finally:
        server.kill()
