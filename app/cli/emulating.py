"""Serving the emulated providers alone."""

import sys

import typer

from app import sandbox
from app.cli.listening import end_on_signals, refused


def run(port: int, world: sandbox.Sandbox) -> None:
    """Serve them until a signal comes; `OSError` says what to do where the port is taken."""
    end_on_signals()
    try:
        sandbox.run("127.0.0.1", port, world, _tell)
    except OSError as error:
        raise refused("127.0.0.1", port, error) from error


def _tell(url: str) -> None:
    base = "/carecloud/webservice/rest-api/enterprise-interface/v1.0"
    typer.echo(f"cloudreve  {url}/cloudreve/api/v4")
    typer.echo(f"hostup     {url}/hostup/api")
    typer.echo(f"carecloud  {url}{base}")
    typer.echo(f"control    {url}/control/state")
    typer.echo(f"customers  {url}/control/customers")
    sys.stdout.flush()
