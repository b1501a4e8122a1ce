"""What compose.yaml starts, outside of containers: the same commands, files and users."""

import asyncio
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from caches import node
from contained import Contained, contained, gateway_command, needs_containment, run
from names import NameServer
from postgres_server import PostgresServer, needs_postgresql
from redis_server import free_port, needs_redis
from shipped import COMPOSE, DOCKERFILE, FOLDER, make_secrets, read, stages

from app import sandbox
from app.sandbox import Sandbox, SandboxServer

# Debian keeps it out of the path.
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
needs_haproxy = pytest.mark.skipif(
    HAPROXY is None, reason="no HAProxy is installed; apt-get install haproxy brings it"
)
NEEDED = [needs_containment, needs_haproxy, needs_postgresql, needs_redis]
SERVICES = read(COMPOSE)["services"]
# Two containers listen at the same port, each at its own address.
ADDRESSES = "127.0.0.2", "127.0.0.3"
_CARECLOUD = "/carecloud/webservice/rest-api/enterprise-interface/v1.0"


@dataclass
class Stack:
    """Two gateways, and where callers come to; `mounted` is what the containers' /run has."""

    mounted: Path
    providers: SandboxServer
    port: int
    public: str
    health: str
    environ: Mapping[str, str]
    key: str
    gateways: dict[str, Contained]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def origin(self, address: str) -> str:
        return f"http://{address}:{self.port}"

    def start(self, address: str) -> Contained:
        """Start the gateway of an address, and return once it is ready."""
        there = {**self.environ, "GATEWAY_SERVER__HOST": address}
        one = self.gateways[address] = Contained(gateway_command(), self.mounted, there)
        one.until(lambda: is_ok(f"{self.origin(address)}/readyz"))
        return one

    def end(self) -> None:
        for one in self.gateways.values():
            one.end()


def is_ok(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@contextmanager
def stack(folder: Path, postgres: PostgresServer) -> Iterator[Stack]:
    """Start everything; it ends in the end."""
    with ExitStack() as opened:
        providers = opened.enter_context(SandboxServer(Sandbox(entries=20)))
        mounted = _mounted(folder, providers, asyncio.run(postgres.new_database()))
        redis, port = free_port(), free_port()
        (mounted / "secrets" / "cache-url").write_text(_cache_url(mounted, redis))
        opened.enter_context(node(mounted, redis, SERVICES["redis"]))
        environ = _environ(providers, port)
        status, said = run(gateway_command(*SERVICES["directory"]["command"]), mounted, environ)
        assert status == 0, said
        key = _prepared(mounted, environ)
        names = opened.enter_context(NameServer(ADDRESSES))
        public, health = free_port(), free_port()
        _write_balancer(mounted, names.address, port, public, health)
        one = Stack(
            mounted,
            providers,
            port,
            f"http://127.0.0.1:{public}",
            f"http://127.0.0.1:{health}/health",
            environ,
            key,
            {},
        )
        opened.callback(one.end)
        for address in ADDRESSES:
            one.start(address)
        command = [str(HAPROXY), "-W", "-db", "-f", "/run/haproxy.cfg"]
        balancer = opened.enter_context(
            contained(command, mounted, user=SERVICES["balancer"]["user"].partition(":")[0])
        )
        balancer.until(lambda: is_ok(one.health))
        yield one


def _mounted(folder: Path, providers: SandboxServer, directory_url: str) -> Path:
    """Return the files that are mounted: the shipped configuration, customers, and secrets."""
    (folder / "secrets").mkdir()
    (folder / "secrets" / "directory-url").write_text(directory_url)
    secrets = make_secrets(folder)
    (secrets / "carecloud-password").write_text(sandbox.CARECLOUD_PASSWORD)
    works = folder / "credit-gateway"
    works.mkdir()
    shutil.copy(FOLDER / "gateway.toml", works)
    shutil.copy(FOLDER / "redis.conf", folder)
    lines = [json.dumps(line) for line in providers.sandbox.sample_customers()]
    (works / "customers.jsonl").write_text("\n".join(lines))
    return folder


def _cache_url(mounted: Path, port: int) -> str:
    made = (mounted / "secrets" / "cache-url").read_text()
    assert "@redis:6379/" in made
    return made.replace("@redis:6379/", f"@127.0.0.1:{port}/")


def _environ(providers: SandboxServer, port: int) -> Mapping[str, str]:
    """Return the image's variables, and the providers' own addresses over the configuration."""
    image = dict(stages(DOCKERFILE.read_text())[-1].environment())
    del image["PATH"]
    there = "GATEWAY_PROVIDERS__"
    return image | {
        "GATEWAY_SERVER__PORT": str(port),
        "GATEWAY_LIMITS__RATE": "1000000/minute",
        f"{there}CLOUD__BASE_URL": f"{providers.url}/cloudreve/api/v4",
        f"{there}HOSTING__BASE_URL": f"{providers.url}/hostup/api",
        f"{there}LOYALTY__BASE_URL": f"{providers.url}{_CARECLOUD}",
        f"{there}LOYALTY__EXTERNAL_APPLICATION_ID": sandbox.CARECLOUD_APPLICATION_ID,
        f"{there}LOYALTY__LOGIN": sandbox.CARECLOUD_LOGIN,
    }


def _prepared(mounted: Path, environ: Mapping[str, str]) -> str:
    """Import the customers and return a key that may read them all."""
    status, said = run(
        gateway_command("customers", "import", "customers.jsonl", "--no-verify"), mounted, environ
    )
    assert status == 0, said
    rights = ["--scope", "credits:read:any", "--scope", "accounts:write:any"]
    status, said = run(
        gateway_command("keys", "create", "--name", "test", *rights), mounted, environ
    )
    assert status == 0, said
    return next(line for line in said.splitlines() if line.startswith("cg_"))


def _write_balancer(mounted: Path, names: str, port: int, public: int, health: int) -> None:
    """Write haproxy.cfg with other numbers, as this machine may have those of a container taken."""
    text = (FOLDER / "haproxy.cfg").read_text()
    for was, becomes in (
        ("127.0.0.11:53", names),
        ("gateway:8000", f"gateway:{port}"),
        ("bind :8080", f"bind 127.0.0.1:{public}"),
        ("bind 127.0.0.1:8404", f"bind 127.0.0.1:{health}"),
    ):
        assert text.count(was) == 1, was
        text = text.replace(was, becomes)
    (mounted / "haproxy.cfg").write_text(text)
