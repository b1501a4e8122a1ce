"""Importing customers with their accounts, and deleting customers with all that is theirs."""

import asyncio
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from app.api.ids import NodeId, NodeKind, written
from app.cli.gateway import opened_gateway
from app.cli.opening import customer_of, opened_directory
from app.directory.importing import LineOutcome, import_lines
from app.directory.outcome import Change
from app.model.accounts import Customer
from app.model.errors import BadUserInput
from app.settings import Settings, load


def import_file(config: Path, file: Path, *, verify: bool) -> None:
    """Import a file's lines and print what that changed; the status tells of bad lines."""
    settings = load(config)
    lines = _lines(file)
    outcomes = asyncio.run(_import(settings, lines, verify=verify))
    for outcome in outcomes:
        if outcome.error:
            typer.echo(f"{file}:{outcome.line}: {outcome.error}", err=True)
    changes = [change for one in outcomes for change in (one.customer, *one.accounts) if change]
    told = ", ".join(f"{changes.count(change)} {change.lower()}" for change in Change)
    typer.echo(f"Customers and accounts: {told}.")
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(1)


def _lines(file: Path) -> list[str]:
    """Return the lines of a file; JSON allows some characters that others end a line at."""
    try:
        return file.read_bytes().decode().split("\n")
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise OSError(f"{file}: {reason}; name a file of JSON lines") from error
    except UnicodeDecodeError as error:
        raise OSError(f"{file}: is not a text in UTF-8; save it as one") from error


async def _import(settings: Settings, lines: list[str], *, verify: bool) -> list[LineOutcome]:
    outcomes = []
    kinds = settings.provider_kinds()
    console = Console(stderr=True)
    async with opened_gateway(settings, serving=False) as opened:
        prove = opened.linking.prove if verify else None
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            task = shown.add_task("Importing", total=len(lines))
            async for outcome in import_lines(
                lines, opened.directory, kinds, prove, opened.linking.forget
            ):
                outcomes.append(outcome)
                shown.update(task, completed=outcome.line)
    return outcomes


def delete(config: Path, reference: str, *, is_sure: bool) -> None:
    """Delete a customer and print its id; who is not sure is asked on the terminal."""
    settings = load(config)
    if not is_sure:
        _ask(reference, asyncio.run(_count_accounts(settings, reference)))

    async def deleted() -> Customer:
        async with opened_gateway(settings, serving=False) as opened:
            customer = await customer_of(opened.directory, reference)
            await opened.linking.delete(customer)
            return customer

    customer = asyncio.run(deleted())
    typer.echo(f"{written(NodeId(NodeKind.CUSTOMER, customer.id))}\tDELETED")


def _ask(reference: str, accounts: int) -> None:
    if not sys.stdin.isatty():
        raise BadUserInput("nobody is there to be asked; add --yes to delete without a question")
    linked = "1 account" if accounts == 1 else f"{accounts} accounts"
    typer.confirm(f"Delete {reference} with {linked} and their credentials?", abort=True, err=True)


async def _count_accounts(settings: Settings, reference: str) -> int:
    async with opened_directory(settings) as directory:
        customer = await customer_of(directory, reference)
        (linked,) = await directory.accounts_by_customer([customer.id])
        return len(linked)
