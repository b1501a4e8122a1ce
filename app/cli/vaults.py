"""Commands about the keys that stored credentials are encrypted with."""

import asyncio

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.options import DEFAULT_CONFIG, Config, loaded
from app.directory.directory import Directory, Rotation
from app.directory.vault import Vault, VaultError, keygen
from app.settings import Settings

vault = typer.Typer(
    help="The keys that stored credentials are encrypted with.", no_args_is_help=True
)


@vault.command("keygen")
def generate_key() -> None:
    """Print a new key: 32 random bytes in base64.

    Example: export GATEWAY_VAULT_KEY=$(credit-gateway vault keygen)
    """
    typer.echo(keygen())


@vault.command("rotate")
def rotate(config: Config = DEFAULT_CONFIG) -> None:
    """Re-encrypt stored credentials under the newest key.

    That is the first of vault.keys. The gateway may serve meanwhile, if its processes know that
    key; a rotation that was interrupted goes on when it is started again. Afterwards the older keys
    open no credentials.

    Example: credit-gateway vault rotate --config gateway.toml
    """
    total = asyncio.run(_rotate(loaded(config)))
    typer.echo(
        f"Credentials re-encrypted under the newest key: {total.done}; "
        f"{total.already} were already."
    )
    if total.unopened:
        raise VaultError(
            f"the credentials of {total.unopened} accounts cannot be opened; "
            "add their former key to vault.keys, or link those accounts again"
        )


async def _rotate(settings: Settings) -> Rotation:
    url = settings.directory.url.get_secret_value()
    directory = await Directory.open(url, Vault(settings.vault_keys()))
    console = Console(stderr=True)
    total = Rotation()
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            task = shown.add_task("Re-encrypting", total=None)
            async for total in directory.rotate_credentials():
                shown.update(task, completed=sum(total))
        return total
    finally:
        await directory.close()
