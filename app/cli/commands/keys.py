"""Commands about API keys."""

from typing import Annotated

import typer

from app.cli.commands.options import DEFAULT_CONFIG, SCOPES, AsJson, Config
from app.model.viewer import Scope
from app.server import garbage

keys = typer.Typer(help="API keys, which callers send in place of tokens.", no_args_is_help=True)


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What it is for.", show_default=False)],
    scope: Annotated[list[Scope], typer.Option(metavar="SCOPE", help=SCOPES, show_default=False)],
    customer: Annotated[
        str | None, typer.Option(metavar="REFERENCE", help="The customer whose key it is.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make an API key and print it, once.

    It cannot be shown again.

    Example: credit-gateway keys create --name billing --scope credits:read:any
    """
    if not name.strip():
        raise typer.BadParameter("say what the key is for", param_hint="--name")
    with garbage.loading():
        from app.cli.keys import create

    create(config, name, frozenset(scope), customer, as_json=as_json)


@keys.command("list")
def list_keys(
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List the API keys, also those revoked.

    None of them is shown itself.

    Example: credit-gateway keys list --config gateway.toml
    """
    with garbage.loading():
        from app.cli.keys import show

    show(config, as_json=as_json)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Revoke an API key: every process refuses it from now on.

    Example: credit-gateway keys revoke 4f1f6a0b9c2d3e58 --config gateway.toml
    """
    with garbage.loading():
        from app.cli.keys import revoke

    revoke(config, key_id)
