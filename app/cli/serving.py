"""Serving the gateway, in one process or several."""

import asyncio
import os
import sys
from pathlib import Path

import typer

from app.cli import configured, logs
from app.cli.gateway import opened_gateway
from app.cli.listening import end_on_signals, listener
from app.main import executor
from app.metrics.processes import folder
from app.server import connections
from app.server.stopping import Server
from app.server.workers import Config as ServerConfig
from app.server.workers import Workers
from app.settings import Settings, load

# A worker answers its supervisor once it has loaded all modules: after a second, or twenty times
# as many where others use the processors. One that takes longer is killed and started again.
_WORKER_STARTS_WITHIN = 30


def run(config: Path, host: str | None, port: int | None, workers: int) -> None:
    """Serve until a signal comes; `host` and `port` win over the configuration's."""
    if host is not None:
        os.environ["GATEWAY_SERVER__HOST"] = host
    if port is not None:
        os.environ["GATEWAY_SERVER__PORT"] = str(port)
    settings = load(config)
    os.environ[configured.VARIABLE] = str(config.absolute())
    end_on_signals()
    # What cannot be opened is told in one line here, not by each worker in its own way.
    asyncio.run(_open(settings))
    logs.configure()
    server = ServerConfig(
        "app.cli.configured:app",
        factory=True,
        workers=workers,
        log_config=None,  # it goes the way of all logs
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_worker_healthcheck=_WORKER_STARTS_WITHIN,
        **connections.serving(settings.server.request_timeout),
    )
    server.unready_for = settings.server.unready_for
    with listener(settings.server.host, settings.server.port) as listening:
        host, port = listening.getsockname()[:2]
        typer.echo(f"Serving http://{f'[{host}]' if ':' in host else host}:{port}/graphql")
        sys.stdout.flush()
        if workers > 1:
            with folder() as counted_in:
                Workers(server, [listening], counted_in).run()
        else:
            Server(server, server.unready_for).run([listening])


async def _open(settings: Settings) -> None:
    async with opened_gateway(settings) as opened:
        executor(settings, opened)
