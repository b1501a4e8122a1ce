"""The gateway and its peers, each started as it is served in earnest, on one core."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands import COMMAND
from pinned import Pinned, pinned
from recorded_upstream import CARECLOUD, CLOUDREVE, HOSTUP, ROWS, Recording
from redis_server import free_port
from world import VAULT_KEY

from app.sandbox import CARECLOUD_APPLICATION_ID, CARECLOUD_LOGIN, CARECLOUD_PASSWORD

HERE = Path(__file__).parent
PEERS = HERE / "peers"
_ROOT = HERE.parents[1]
_HIVE = PEERS / "node_modules" / "@graphql-hive" / "gateway" / "dist" / "bin.js"

# The cache of encoded answers, as a configuration has it: whole, off, and without room for one in
# the process.
CACHED = "responses = true"
UNCACHED = "responses = false"
IN_REDIS = "responses = true\nresponse_memory = 1"
_CONFIGURATION = """
auth.mode = "none"
vault.keys = ["{key}"]
directory.url = "sqlite:///directory.db"
# One caller asks for all, and what it may is not what is measured.
limits.rate = "60000000/minute"
limits.cost = 1000000

[cache]
{cache}

[providers.cloud]
kind = "cloudreve"
base_url = "{url}/cloudreve/api/v4"
page_size = {rows}
rate = "1000000/second"
max_concurrency = 64

[providers.hosting]
kind = "hostup"
base_url = "{url}/hostup/api"
rate = "1000000/second"
max_concurrency = 64

[providers.loyalty]
kind = "carecloud"
base_url = "{url}/carecloud/webservice/rest-api/enterprise-interface/v1.0"
time_zone = "Europe/Prague"
page_size = {rows}
external_application_id = "{application}"
login = "{login}"
password = "{password}"
rate = "1000000/second"
max_concurrency = 64
"""
# What an answer out of that cache has in its head.
HIT = ("x-cache", "HIT")


def peers_are_installed() -> bool:
    """Tell whether the peers in JavaScript can be started."""
    return shutil.which("node") is not None and _HIVE.exists()


@dataclass(frozen=True)
class Arena:
    """A folder for what servers read and write, and the cores that they are given."""

    folder: Path
    core: int

    def gateway(
        self, name: str, providers_url: str, cache: str, *, cores: set[int] | None = None
    ) -> AbstractContextManager[Pinned]:
        """Serve the gateway, a worker for each core; `cache` is TOML of that section."""
        port = free_port()
        cores = cores or {self.core}
        config = self.configured(name, providers_url, cache)
        command = [COMMAND, "serve", "--config", config, "--port", port, "--workers", len(cores)]
        return pinned(command, port, cores, self._log(name), ready_path="/readyz")

    def configured(self, name: str, providers_url: str, cache: str) -> Path:
        """Write a configuration over the directory that all gateways here share."""
        file = self.folder / f"{name}.toml"
        file.write_text(
            _CONFIGURATION.format(
                key=VAULT_KEY,
                url=providers_url,
                rows=ROWS,
                cache=cache,
                application=CARECLOUD_APPLICATION_ID,
                login=CARECLOUD_LOGIN,
                password=CARECLOUD_PASSWORD,
            )
        )
        return file

    def plain(self, name: str, config: Path) -> AbstractContextManager[Pinned]:
        """Serve the gateway's resolvers by Strawberry and FastAPI alone."""
        return self._python(name, PEERS / "plain.py", config)

    def plain_cold(
        self, name: str, recording: Recording, url: str
    ) -> AbstractContextManager[Pinned]:
        """Serve Strawberry and FastAPI over the upstreams, by httpx."""
        file = self._written(name, how_to_ask(recording, url))
        return self._python(name, PEERS / "plain_cold.py", file)

    def bare(self, name: str, answer: bytes) -> AbstractContextManager[Pinned]:
        """Serve one answer by uvicorn alone."""
        file = self.folder / name
        file.write_bytes(answer)
        return self._python(name, PEERS / "bare.py", file)

    def upstream(
        self, name: str, recording: Recording, core: int, latency_ms: int = 0
    ) -> AbstractContextManager[Pinned]:
        """Serve a recording of the sandbox."""
        file = self.folder / f"{name}.recording"
        recording.save(file)
        port = free_port()
        script = HERE / "recorded_upstream.py"
        command = [sys.executable, script, file, port, latency_ms]
        return pinned(command, port, {core}, self._log(name))

    def yoga(
        self, name: str, served: Mapping[str, Any], *, cached: bool = False
    ) -> AbstractContextManager[Pinned]:
        """Serve GraphQL Yoga with graphql-jit over rows, or over the upstreams."""
        file = self._written(name, {"schema": str(_ROOT / "schema.graphql"), **served})
        port = free_port()
        command = [_node(), PEERS / "yoga.mjs", port, file]
        return pinned(
            command,
            port,
            {self.core},
            self._log(name),
            environment=_for_node(CACHED="1" if cached else ""),
        )

    @contextmanager
    def hive(
        self, name: str, recording: Recording, url: str, *, cached: bool = False
    ) -> Iterator[Pinned]:
        """Serve Hive Gateway over the upstreams, composed of their OpenAPI."""
        folder = self.folder / name
        folder.mkdir()
        how = self._written(name, {"origin": url, "headers": headers_of(recording)})
        subprocess.run(
            [_node(), "compose.mjs", how, folder],
            cwd=PEERS,
            check=True,
            timeout=60,
            env=_for_node(),
        )
        port = free_port()
        config = PEERS / "gateway.config.mjs"
        command = [_node(), _HIVE, "supergraph", "--host", "127.0.0.1", "--port", port]
        command += ["--config-path", config]
        environment = _for_node(
            CACHED="1" if cached else "", SUPERGRAPH=str(folder / "supergraph.graphql")
        )
        log = self._log(name)
        with pinned(
            command, port, {self.core}, log, environment=environment, ready_path="/readiness"
        ) as server:
            yield server

    def _python(self, name: str, script: Path, file: Path) -> AbstractContextManager[Pinned]:
        port = free_port()
        return pinned([sys.executable, script, port, file], port, {self.core}, self._log(name))

    def _written(self, name: str, value: Mapping[str, Any]) -> Path:
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(value))
        return file

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def how_to_ask(recording: Recording, url: str) -> dict[str, Any]:
    """Return the upstreams' addresses for as many rows as the gateway asks for, and the units."""
    headers = headers_of(recording)
    customer = f"customer_id={recording.customer_id}&count={ROWS}"
    order = "sort_field=credit_history_record_time&sort_direction=DESC"
    paths = {
        "cloudreve": f"{CLOUDREVE}/user/creditChanges?page_size={ROWS}&order_direction=desc",
        "hostup": f"{HOSTUP}/billing/credit-log?page=0",
        "carecloud": f"{CARECLOUD}/credit-history?{customer}&{order}",
    }
    return {
        "upstreams": [{"url": url + paths[one], "headers": headers[one]} for one in paths],
        "units": recording.units,
    }


def headers_of(recording: Recording) -> dict[str, dict[str, str]]:
    """Return what each upstream is sent by who asks it."""
    carecloud = {"Authorization": f"Bearer {recording.carecloud_token}", "Accept-Language": "en"}
    return {
        "cloudreve": {"Authorization": f"Bearer {recording.cloudreve_token}"},
        "hostup": {"X-API-Key": recording.hostup_key},
        "carecloud": carecloud,
    }


def _node() -> str:
    return shutil.which("node") or "node"


def _for_node(**more: str) -> dict[str, str]:
    """Return an environment that makes libraries do without what they have for developers."""
    return {**os.environ, "NODE_ENV": "production", **more}
