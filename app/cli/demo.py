"""The demonstration: emulated providers, sample customers and the gateway in one process."""

import asyncio
import json
import socket
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import typer
import uvicorn

from app import sandbox, settings
from app.cli import logs
from app.cli.listening import end_on_signals, listener
from app.directory.directory import Directory
from app.directory.importing import import_lines
from app.directory.vault import Vault, keygen
from app.main import create_app
from app.server import connections
from app.server.stopping import Server

_USUAL_PORT = 8000
_CONFIGURATION = """
[server]
host = "127.0.0.1"

[cache]
fresh_for = "15s"

[directory]
url = "sqlite:///demo.db"

[vault]
keys = ["{key}"]

[auth]
mode = "none"

[providers.cloud]
kind = "cloudreve"
base_url = "{url}/cloudreve/api/v4"

[providers.hosting]
kind = "hostup"
base_url = "{url}/hostup/api"

[providers.loyalty]
kind = "carecloud"
base_url = "{url}/carecloud/webservice/rest-api/enterprise-interface/v1.0"
time_zone = "Europe/Prague"
external_application_id = "{application}"
login = "{login}"
password = "{password}"
operation_kinds = {{ "Manually added credits" = "ADJUSTMENT" }}
"""
QUERY = """{
  customer(reference: "C-1001") {
    displayName
    creditChanges(first: 20) {
      nodes { occurredAt amount { amount unit } kind reason account { provider { name } } }
      pageInfo { hasNextPage endCursor }
      sources { state account { provider { name } } error { code } }
    }
    payments(first: 20) { nodes { createdAt product status amount { amount unit } } }
  }
}"""


def run(port: int | None) -> None:
    """Serve the demonstration until Ctrl-C; without a port, at 8000 or any free one."""
    end_on_signals()
    logs.configure_serving("auto")
    with TemporaryDirectory() as folder, sandbox.SandboxServer(sandbox.Sandbox()) as providers:
        configured = _configured(Path(folder), providers.url)
        asyncio.run(_import(configured, providers.sandbox))
        with _listener(port) as listening:
            _tell(f"http://127.0.0.1:{listening.getsockname()[1]}", providers.url)
            config = uvicorn.Config(
                create_app(configured),
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                **connections.serving(configured.server.request_timeout),
            )
            # Nobody balances loads between demonstrations.
            Server(config, timedelta(0), before_ending=partial(rmtree, folder)).run([listening])


def _configured(folder: Path, providers_url: str) -> settings.Settings:
    file = folder / "gateway.toml"
    file.write_text(
        _CONFIGURATION.format(
            key=keygen(),
            url=providers_url,
            application=sandbox.CARECLOUD_APPLICATION_ID,
            login=sandbox.CARECLOUD_LOGIN,
            password=sandbox.CARECLOUD_PASSWORD,
        )
    )
    return settings.load(file, {})


async def _import(configured: settings.Settings, world: sandbox.Sandbox) -> None:
    vault = Vault(configured.vault_keys())
    directory = await Directory.open(configured.directory.url.get_secret_value(), vault)
    try:
        lines = [json.dumps(line) for line in world.sample_customers()]
        async for outcome in import_lines(lines, directory, configured.provider_kinds(), None):
            if outcome.error:
                raise RuntimeError(outcome.error)
    finally:
        await directory.close()


def _listener(port: int | None) -> socket.socket:
    if port is not None:
        return listener("127.0.0.1", port)
    try:
        return listener("127.0.0.1", _USUAL_PORT)
    except OSError:
        return listener("127.0.0.1", 0)


def _tell(url: str, providers_url: str) -> None:
    curl = json.dumps({"query": " ".join(QUERY.split())}).replace("'", "'\\''")
    typer.echo(f"""
Credit Gateway, with sample customers C-1001, C-1002 and C-1003 of emulated providers.

  GraphQL, and a page to try it   {url}/graphql
  A customer's page               {url}/dashboard?customer=C-1001
  The emulated providers          {providers_url}/control/state

A query to paste into that page:

{QUERY}

The same from a shell:

curl -s {url}/graphql -H 'Content-Type: application/json' -d '{curl}'

Ctrl-C stops it.
""")
    sys.stdout.flush()
