"""Commands about the keys that stored credentials are encrypted with."""

import typer

from app.cli.commands.options import DEFAULT_CONFIG, Config
from app.server import garbage

vault = typer.Typer(
    help="The keys that stored credentials are encrypted with.", no_args_is_help=True
)


@vault.command("keygen")
def generate_key() -> None:
    """Print a new key: 32 random bytes in base64.

    Example: export GATEWAY_VAULT_KEY=$(credit-gateway vault keygen)
    """
    with garbage.loading():
        from app.directory.vault import keygen

    typer.echo(keygen())


@vault.command("rotate")
def rotate_credentials(config: Config = DEFAULT_CONFIG) -> None:
    """Re-encrypt stored credentials under the newest key.

    That is the first of vault.keys. The gateway may serve meanwhile, if its processes know that
    key; a rotation that was interrupted goes on when it is started again. Afterwards the older keys
    open no credentials.

    Example: credit-gateway vault rotate --config gateway.toml
    """
    with garbage.loading():
        from app.cli.rotating import rotate

    rotate(config)
