"""A gateway over emulated providers, each served over HTTP on a free port of the loopback."""

import asyncio
import json
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import uvicorn
from canaries import assert_none
from starlette.types import ASGIApp

from app import sandbox, settings
from app.directory.directory import Directory
from app.directory.importing import import_lines
from app.directory.vault import Vault
from app.main import create_app
from app.sandbox import Sandbox, SandboxServer
from app.server import connections

VAULT_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
_CARECLOUD = "/carecloud/webservice/rest-api/enterprise-interface/v1.0"


class MovableClock:
    """The real time, moved on by what a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def configuration(folder: Path, providers_url: str, more: str = "") -> Path:
    """Write a configuration of three providers and return its path; `more` is TOML to append.

    Unless `more` says how often a caller may ask, it is as often as a test can. Providers may be
    asked as often, too.
    """
    if "\nrate = " not in more:
        more = f"{more}\n[limits]" if "[limits]" not in more else more
        more = more.replace("[limits]", '[limits]\nrate = "1000000/minute"')
    file = folder / "gateway.toml"
    file.write_text(f"""
vault.keys = ["{VAULT_KEY}"]
auth.mode = "none"

[providers.cloud]
kind = "cloudreve"
base_url = "{providers_url}/cloudreve/api/v4"
rate = "1000000/minute"

[providers.hosting]
kind = "hostup"
base_url = "{providers_url}/hostup/api"
rate = "1000000/minute"

[providers.loyalty]
kind = "carecloud"
base_url = "{providers_url}{_CARECLOUD}"
rate = "1000000/minute"
time_zone = "Europe/Prague"
external_application_id = "{sandbox.CARECLOUD_APPLICATION_ID}"
login = "{sandbox.CARECLOUD_LOGIN}"
password = "{sandbox.CARECLOUD_PASSWORD}"
{more}
""")
    return file


@dataclass
class World:
    """One gateway at `url` and the sandbox behind it; `clock` moves the gateway's time alone."""

    url: str
    sandbox: Sandbox
    clock: MovableClock
    settings: settings.Settings
    http: httpx.Client
    folder: Path

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the whole answer to a query."""
        response = self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Accept": "application/graphql-response+json"},
        )
        assert_none(response.text, "an answer")
        answer: dict[str, Any] = response.json()
        return answer

    def data(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the data of an answer that has no errors."""
        answer = self.ask(query, variables)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data


@contextmanager
def world(
    folder: Path,
    *,
    more: str = "",
    entries: int = 120,
    seed: int = 1,
) -> Iterator[World]:
    """Serve a gateway with the sandbox's sample customers; everything stops in the end."""
    with SandboxServer(Sandbox(seed=seed, entries=entries)) as providers:
        configured = settings.load(configuration(folder, providers.url, more), {})
        asyncio.run(import_customers(configured, providers.sandbox.sample_customers()))
        with gateway(configured, providers.sandbox, folder) as served:
            yield served


@contextmanager
def gateway(configured: settings.Settings, source: Sandbox, folder: Path) -> Iterator[World]:
    """Serve a gateway of a configuration whose customers are there; its cache is empty."""
    clock = MovableClock()
    with (
        serving(create_app(configured, clock)) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as http,
    ):
        yield World(url, source, clock, configured, http, folder)


async def import_customers(
    configured: settings.Settings, customers: Iterable[Mapping[str, Any]]
) -> None:
    """Put customers, as the sandbox's samples are written, into a configuration's directory."""
    url = configured.directory.url.get_secret_value()
    directory = await Directory.open(url, Vault(configured.vault_keys()))
    try:
        lines = [json.dumps(line) for line in customers]
        async for outcome in import_lines(lines, directory, configured.provider_kinds(), None):
            assert outcome.error is None
    finally:
        await directory.close()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI application in a thread, on a free port; yields its origin."""
    listener = socket.create_server(("127.0.0.1", 0))
    # As the command serves: a caller's mistake, such as a token in an address, is not logged.
    as_the_command = connections.serving(timedelta(seconds=10))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", **as_the_command)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
