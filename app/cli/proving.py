"""Proving a configuration, and whatever it names."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console

from app.api.context import Services
from app.cli import tables
from app.cli.gateway import opened_gateway
from app.main import executor
from app.model.errors import UpstreamError
from app.redis.connection import answers
from app.settings import Settings, load


class _Proof(NamedTuple):
    what: str
    is_good: bool
    told: str


def prove(config: Path, *, as_json: bool) -> None:
    """Print whether the configuration and all that it names is good; the status tells it too."""
    proofs = [_Proof("configuration", is_good=True, told=str(config))]
    settings = load(config)
    with Console(stderr=True).status("Asking all that is configured"):
        proofs += asyncio.run(_proofs(settings))
    rows = [{"ok": one.is_good, "what": one.what, "result": one.told} for one in proofs]
    tables.show({"ok": "", "what": "what", "result": "result"}, rows, as_json=as_json)
    if not all(proof.is_good for proof in proofs):
        raise typer.Exit(1)


async def _proofs(settings: Settings) -> list[_Proof]:
    url = settings.cache.url
    is_there = await answers(url.get_secret_value())
    cache = _Proof("cache", is_there, str(url) if is_there else f"{url} does not answer")
    async with opened_gateway(settings) as opened:
        executor(settings, opened)
        count = await opened.directory.customers_count(None)
        directory = _Proof("directory", is_good=True, told=f"{count} customers")
        providers = await asyncio.gather(*(_provider(opened, name) for name in opened.providers))
    return [cache, directory, *providers]


async def _provider(opened: Services, name: str) -> _Proof:
    account = await opened.directory.any_account(name)
    if account is None:
        return _Proof(name, is_good=True, told="not asked: no account is linked to it")
    try:
        balance = await opened.providers[name].balance(account)
    except UpstreamError as error:
        return _Proof(name, is_good=False, told=f"{error.code}: {error}")
    counted = "1 balance" if len(balance) == 1 else f"{len(balance)} balances"
    return _Proof(name, is_good=True, told=f"answers, {counted}")
