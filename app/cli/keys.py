"""Commands about API keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from app.auth.api_keys import digest, new_key
from app.cli import tables
from app.cli.options import DEFAULT_CONFIG, SCOPES, Config, loaded
from app.cli.tables import AsJson
from app.directory.directory import Directory
from app.directory.vault import Vault
from app.model.errors import NotFound
from app.model.keys import ApiKey
from app.model.viewer import Scope
from app.settings import Settings

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
    key = new_key()

    async def create() -> ApiKey:
        async with _directory(loaded(config)) as directory:
            return await directory.create_api_key(name, frozenset(scope), customer, digest(key))

    made = asyncio.run(create())
    if as_json:
        tables.print_json({"id": made.id, "key": key})
        return
    typer.echo(f"Key {made.id}; keep what follows, it is not shown again.", err=True)
    typer.echo(key)


@keys.command("list")
def list_keys(
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List the API keys, also those revoked.

    None of them is shown itself.

    Example: credit-gateway keys list --config gateway.toml
    """

    async def all_keys() -> list[ApiKey]:
        async with _directory(loaded(config)) as directory:
            return await directory.api_keys()

    rows = [
        {
            "id": one.id,
            "name": one.name,
            "scopes": sorted(one.scopes),
            "customer": one.reference,
            "createdAt": one.created_at,
            "revokedAt": one.revoked_at,
        }
        for one in asyncio.run(all_keys())
    ]
    headings = {name: name for name in ("id", "name", "scopes", "customer")}
    times = {"createdAt": "created at", "revokedAt": "revoked at"}
    tables.show(headings | times, rows, as_json=as_json)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As `keys list` shows it.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Revoke an API key: every process refuses it from now on.

    Example: credit-gateway keys revoke 4f1f6a0b9c2d3e58 --config gateway.toml
    """

    async def revoke() -> bool:
        async with _directory(loaded(config)) as directory:
            return await directory.revoke_api_key(key_id)

    if not asyncio.run(revoke()):
        raise NotFound("there is no API key of this id; see `credit-gateway keys list`")


@asynccontextmanager
async def _directory(settings: Settings) -> AsyncIterator[Directory]:
    url = settings.directory.url.get_secret_value()
    directory = await Directory.open(url, Vault(settings.vault_keys()))
    try:
        yield directory
    finally:
        await directory.close()
