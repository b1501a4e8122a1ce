"""Commands about customers and their accounts."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.api.ids import NodeId, NodeKind, written
from app.cli import tables
from app.cli.options import DEFAULT_CONFIG, Config, loaded
from app.directory.directory import Change, Directory
from app.directory.importing import LineOutcome, import_lines
from app.directory.vault import Vault
from app.model.clock import utc_now
from app.model.errors import NotFound
from app.providers.proof import prove
from app.settings import Settings

customers = typer.Typer(help="Customers and the import of them.", no_args_is_help=True)
accounts = typer.Typer(help="Accounts of customers at providers.", no_args_is_help=True)

_PAGE = 500


@customers.command("import")
def import_customers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, a customer each.")],
    config: Config = DEFAULT_CONFIG,
    verify: Annotated[  # noqa: FBT002 - it is a pair of flags
        bool, typer.Option("--verify/--no-verify", help="Try credentials before they are stored.")
    ] = True,
) -> None:
    """Import customers with their accounts and credentials; the same file twice changes nothing.

    Example: credit-gateway customers import customers.jsonl --config gateway.toml
    """
    settings = loaded(config)
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
    async def proved(provider: str, credentials: Mapping[str, str]) -> Mapping[str, str]:
        return await prove(settings.providers[provider], credentials, utc_now)

    directory = await _open(settings)
    try:
        outcomes = []
        kinds = settings.provider_kinds()
        console = Console(stderr=True)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            task = shown.add_task("Importing", total=len(lines))
            async for outcome in import_lines(lines, directory, kinds, proved if verify else None):
                outcomes.append(outcome)
                shown.update(task, completed=outcome.line)
        return outcomes
    finally:
        await directory.close()


@customers.command("list")
def list_customers(config: Config = DEFAULT_CONFIG) -> None:
    """List all customers by reference.

    Example: credit-gateway customers list --config gateway.toml
    """

    async def print_all() -> None:
        directory = await _open(loaded(config))
        try:
            after = None
            while page := await directory.customers_page(
                search=None, after=after, before=None, limit=_PAGE
            ):
                for customer in page:
                    typer.echo(f"{customer.reference}\t{customer.display_name or ''}")
                after = page[-1].reference
        finally:
            await directory.close()

    asyncio.run(print_all())


@accounts.command("list")
def list_accounts(
    reference: Annotated[str, typer.Argument(help="The customer's reference.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List a customer's accounts; the ids are those of the API.

    Example: credit-gateway accounts list C-1001 --config gateway.toml
    """

    async def print_all() -> None:
        directory = await _open(loaded(config))
        try:
            (customer,) = await directory.customers_by_reference([reference])
            if customer is None:
                raise NotFound(f"no customer has the reference {reference}; see `customers list`")
            (found,) = await directory.accounts_by_customer([customer.id])
        finally:
            await directory.close()
        rows = [
            (
                written(NodeId(NodeKind.ACCOUNT, one.id)),
                one.provider,
                one.label or "",
                one.status,
                one.linked_at.isoformat(timespec="seconds"),
            )
            for one in found
        ]
        tables.show(("id", "provider", "label", "status", "linked at"), rows)

    asyncio.run(print_all())


async def _open(settings: Settings) -> Directory:
    url = settings.directory.url.get_secret_value()
    return await Directory.open(url, Vault(settings.vault_keys()))
