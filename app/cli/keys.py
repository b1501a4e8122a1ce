"""API keys: made, listed and revoked."""

import asyncio
from pathlib import Path

import typer

from app.auth.api_keys import digest, new_key
from app.cli import tables
from app.cli.opening import opened_directory
from app.model.errors import NotFound
from app.model.keys import ApiKey
from app.model.viewer import Scope
from app.settings import load


def create(
    config: Path, name: str, scopes: frozenset[Scope], customer: str | None, *, as_json: bool
) -> None:
    """Make an API key and print it; `customer` is the reference of the one whose it is."""
    key = new_key()

    async def created() -> ApiKey:
        async with opened_directory(load(config)) as directory:
            return await directory.create_api_key(name, scopes, customer, digest(key))

    made = asyncio.run(created())
    if as_json:
        tables.print_json({"id": made.id, "key": key})
        return
    typer.echo(f"Key {made.id}; keep what follows, it is not shown again.", err=True)
    typer.echo(key)


def show(config: Path, *, as_json: bool) -> None:
    """Print all API keys but what they are themselves."""

    async def all_keys() -> list[ApiKey]:
        async with opened_directory(load(config)) as directory:
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


def revoke(config: Path, key_id: str) -> None:
    """Revoke the API key of this id; raises `NotFound`."""

    async def revoked() -> bool:
        async with opened_directory(load(config)) as directory:
            return await directory.revoke_api_key(key_id)

    if not asyncio.run(revoked()):
        raise NotFound("there is no API key of this id; see `credit-gateway keys list`")
