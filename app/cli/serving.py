"""Commands that serve until they are told to stop."""

import asyncio
import os
import sys
from datetime import timedelta
from typing import Annotated

import typer

from app.cli import configured, logs
from app.cli.listening import end_on_signals, listener, refused
from app.cli.options import DEFAULT_CONFIG, Config, loaded
from app.main import executor
from app.metrics.processes import folder
from app.server import connections
from app.server.stopping import Server
from app.server.workers import Config as ServerConfig
from app.server.workers import Workers
from app.services import services
from app.settings import Settings

_LAST_PORT = 65535
# A worker answers its supervisor once it has loaded all modules: after a second, or twenty times
# as many where others use the processors. One that takes longer is killed and started again.
_WORKER_STARTS_WITHIN = 30


def demo(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=_LAST_PORT, help="Where the gateway listens.", show_default="8000"),
    ] = None,
) -> None:
    """Serve sample customers of emulated providers.

    Nothing has to be prepared, and nothing is left when it is stopped.

    Example: credit-gateway demo --port 8080
    """
    from app.cli import demo as demonstration  # noqa: PLC0415 - who serves has no sandbox

    end_on_signals()
    logs.configure_serving("auto")
    demonstration.run(port)


def serve(
    config: Config = DEFAULT_CONFIG,
    host: Annotated[str | None, typer.Option(help="In place of server.host.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=_LAST_PORT, help="In place of server.port.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="The number of processes.")] = 1,
) -> None:
    """Serve the gateway.

    Example: credit-gateway serve --config gateway.toml --workers 2
    """
    if host is not None:
        os.environ["GATEWAY_SERVER__HOST"] = host
    if port is not None:
        os.environ["GATEWAY_SERVER__PORT"] = str(port)
    settings = loaded(config)
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
    async with services(settings) as opened:
        executor(settings, opened)


def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=_LAST_PORT, help="Where they listen; 0 for any free port.")
    ] = 9000,
    seed: Annotated[int, typer.Option(help="Another seed gives other sample data.")] = 1,
    entries: Annotated[int, typer.Option(min=0, help="Entries in each history.")] = 120,
    latency: Annotated[int, typer.Option(min=0, metavar="MS", help="Before each answer.")] = 0,
    customers: Annotated[int, typer.Option(min=1, help="Sample customers.")] = 3,
) -> None:
    """Serve the emulated providers alone.

    Example: credit-gateway sandbox --port 9000 --entries 10000 --latency 50
    """
    from app import sandbox as emulated  # noqa: PLC0415 - as in `demo`

    world = emulated.Sandbox(
        seed=seed, entries=entries, customers=customers, latency=timedelta(milliseconds=latency)
    )
    end_on_signals()
    try:
        emulated.run("127.0.0.1", port, world, _tell_sandbox)
    except OSError as error:
        raise refused("127.0.0.1", port, error) from error


def _tell_sandbox(url: str) -> None:
    base = "/carecloud/webservice/rest-api/enterprise-interface/v1.0"
    typer.echo(f"cloudreve  {url}/cloudreve/api/v4")
    typer.echo(f"hostup     {url}/hostup/api")
    typer.echo(f"carecloud  {url}{base}")
    typer.echo(f"control    {url}/control/state")
    typer.echo(f"customers  {url}/control/customers")
    sys.stdout.flush()
