"""Encrypting stored credentials with the newest key."""

import asyncio
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.opening import opened_directory
from app.directory.rotating import Rotation
from app.directory.vault import VaultError
from app.settings import Settings, load


def rotate(config: Path) -> None:
    """Re-encrypt all credentials and print how many; raises `VaultError` for those it cannot."""
    total = asyncio.run(_rotate(load(config)))
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
    console = Console(stderr=True)
    total = Rotation()
    async with opened_directory(settings) as directory:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            task = shown.add_task("Re-encrypting", total=None)
            async for total in directory.rotate_credentials():
                shown.update(task, completed=sum(total))
    return total
