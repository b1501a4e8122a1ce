"""The Redis of compose.yaml and the Cluster of compose.cluster.yaml, with a real redis-server."""

import asyncio
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest
from caches import is_healthy, node, shell
from contained import needs_containment, run
from redis import Redis
from redis_cluster import _free_ports, until
from redis_server import free_port, needs_redis
from shipped import CLUSTER, COMPOSE, FOLDER, composed, make_secrets

from app.redis.connection import answers

# The nodes of a Cluster take some seconds to agree, and longer where others compute.
pytestmark = [needs_containment, needs_redis, pytest.mark.timeout(300)]
SERVICES = composed(COMPOSE, CLUSTER)["services"]


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    (tmp_path / "redis.conf").write_text((FOLDER / "redis.conf").read_text())
    make_secrets(tmp_path)
    return tmp_path


def url(mounted: Path, name: str, **instead: str) -> str:
    """Return the address in a secret, with servers of this machine in place of containers."""
    text = (mounted / "secrets" / name).read_text().strip()
    for was, becomes in instead.items():
        assert was.replace("_", "-") in text
        text = text.replace(f"{was.replace('_', '-')}:6379", becomes)
    return text


def test_redis_is_as_it_is_configured_and_asks_for_a_password(mounted: Path) -> None:
    port, service = free_port(), composed(COMPOSE)["services"]["redis"]
    with node(mounted, port, service):
        address = url(mounted, "cache-url", redis=f"127.0.0.1:{port}")
        with Redis.from_url(address, decode_responses=True) as client:
            configured = client.config_get("*")
        answered = asyncio.run(answers(address))
        without = asyncio.run(answers(f"redis://127.0.0.1:{port}/0"))

    assert answered
    assert not without
    assert configured["maxmemory"] == str(384 * 1024**2)
    assert configured["maxmemory-policy"] == "allkeys-lfu"
    assert configured["stop-writes-on-bgsave-error"] == "no"
    assert configured["save"] == "300 100"


def test_the_health_check_of_redis_fails_when_it_should(mounted: Path) -> None:
    port, service = free_port(), composed(COMPOSE)["services"]["redis"]
    with node(mounted, port, service) as one:
        (mounted / "secrets" / "redis-password").write_text("another")
        other_password = is_healthy(mounted, port, service)
        one.tell(signal.SIGTERM)
        status = one.ended()
    password = (mounted / "secrets" / "redis-login").read_text().split()[1]
    (mounted / "secrets" / "redis-password").write_text(password)
    ended = is_healthy(mounted, port, service)

    assert (other_password, status, ended) == (False, 0, False)


def test_six_nodes_become_one_cluster_once(mounted: Path) -> None:
    ports = _free_ports(6)
    names = ["redis", *(f"redis-{number}" for number in range(2, 7))]
    script, environ = SERVICES["cluster"]["command"], SERVICES["cluster"]["environment"]
    there = environ | {"NODES": " ".join(f"127.0.0.1:{port}" for port in ports)}
    with ExitStack() as stack:
        for name, port in zip(names, ports, strict=True):
            stack.enter_context(node(mounted, port, SERVICES[name]))
        making = [*script[:-1], shell(script)]
        first, again = run(making, mounted, there), run(making, mounted, there)
        address = url(
            mounted,
            "cluster-url",
            redis_2=f"127.0.0.1:{ports[1]}",
            redis_3=f"127.0.0.1:{ports[2]}",
            redis=f"127.0.0.1:{ports[0]}",
        )
        answered = asyncio.run(answers(address))
        with Redis.from_url(
            url(mounted, "cache-url", redis=f"127.0.0.1:{ports[0]}"), decode_responses=True
        ) as client:
            # Who has become a replica, the others hear a moment later.
            until(lambda: _kinds(client) == (3, 3))

    assert environ["NODES"].split() == [
        f"{SERVICES[name]['networks']['inside']['ipv4_address']}:6379" for name in names
    ]
    assert first[0] == 0, first
    assert "All 16384 slots covered" in first[1]
    assert again == (0, "")
    assert answered


def test_nodes_that_cannot_become_a_cluster_are_told(mounted: Path) -> None:
    port, *others = _free_ports(6)
    script, environ = SERVICES["cluster"]["command"], SERVICES["cluster"]["environment"]
    with node(mounted, port, SERVICES["redis"]):
        there = environ | {"NODES": " ".join(f"127.0.0.1:{one}" for one in (port, *others))}
        status, said = run([*script[:-1], shell(script)], mounted, there)

    assert status != 0
    assert "Could not connect to Redis" in said


def _kinds(client: Redis) -> tuple[int, int]:
    told = str(client.execute_command("CLUSTER", "NODES"))  # type: ignore[no-untyped-call]
    return told.count("master"), told.count("slave")
