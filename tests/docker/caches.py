"""A Redis as the Compose files have it, run outside of a container."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contained import Contained, contained, run
from shipped import Table


def shell(command: list[str]) -> str:
    """Return what Compose gives to a shell, in which it has replaced each doubled dollar sign."""
    return command[-1].replace("$$", "$")


@contextmanager
def node(mounted: Path, port: int, service: Table) -> Iterator[Contained]:
    """Run a Redis as a service has it; its files are in the folder that can be written."""
    program, _, *options = service["command"]
    there = ["--port", str(port), "--bind", "127.0.0.1", "--dir", "/run/tmp"]
    command = [program, "/run/redis.conf", *options, *there]
    with contained(command, mounted, user=service["user"].partition(":")[0]) as one:
        one.until(lambda: is_healthy(mounted, port, service))
        yield one


def is_healthy(mounted: Path, port: int, service: Table) -> bool:
    """Say what the health check of a service says."""
    check = shell(service["healthcheck"]["test"])
    assert check.count("redis-cli ") == 1
    check = check.replace("redis-cli ", f"timeout 3 redis-cli -p {port} ")
    return run(["sh", "-c", check], mounted)[0] == 0
