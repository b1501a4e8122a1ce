"""Commands about customers' accounts at providers."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.options import DEFAULT_CONFIG, AsJson, Config
from app.server import garbage

accounts = typer.Typer(help="Accounts of customers at providers.", no_args_is_help=True)

_Reference = Annotated[str, typer.Argument(help="The customer's reference.")]


@accounts.command("list")
def list_accounts(
    reference: _Reference,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List a customer's accounts.

    The ids are those of the API.

    Example: credit-gateway accounts list C-1001 --config gateway.toml
    """
    with garbage.loading():
        from app.cli.directory import show_accounts

    show_accounts(config, reference, as_json=as_json)


@accounts.command("link")
def link_account(
    reference: _Reference,
    provider: Annotated[str, typer.Argument(help="The configured provider's name.")],
    label: Annotated[str | None, typer.Option(help="To tell several accounts apart.")] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON as in an import; else standard input is read."),
    ] = None,
    verify: Annotated[  # noqa: FBT002 - it is a pair of flags
        bool, typer.Option("--verify/--no-verify", help="Try credentials before they are stored.")
    ] = True,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Link an account, or give it other credentials.

    Prints its id and what was done. The credentials are read, never written as an argument, which
    others on this machine could see: from a file or standard input as JSON, or typed in on a
    terminal, unseen.

    Example: credit-gateway accounts link C-1001 hosting --label main --credentials key.json
    """
    with garbage.loading():
        from app.cli.linking import link

    link(config, reference, provider, label, credentials, verify=verify)


@accounts.command("unlink")
def unlink_account(
    account_id: Annotated[str, typer.Argument(metavar="ID", help="As `accounts list` shows it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Delete an account with all that belongs to it.

    These are its credentials and all that was read of it.

    Example: credit-gateway accounts unlink YTo2ZjFhOWQwM2JjNDhlMjc1 --config gateway.toml
    """
    with garbage.loading():
        from app.cli.linking import unlink

    unlink(config, account_id)
