"""Commands that serve until they are told to stop."""

from datetime import timedelta
from typing import Annotated

import typer

from app.cli.commands.options import DEFAULT_CONFIG, Config
from app.server import garbage

_LAST_PORT = 65535


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
    with garbage.loading():
        from app.cli import demo as demonstration

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
    with garbage.loading():
        from app.cli.serving import run

    run(config, host, port, workers)


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
    with garbage.loading():
        from app.cli.emulating import run
        from app.sandbox import Sandbox

    world = Sandbox(
        seed=seed, entries=entries, customers=customers, latency=timedelta(milliseconds=latency)
    )
    run(port, world)
