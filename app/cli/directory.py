"""Commands about customers."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.api.ids import NodeId, NodeKind, written
from app.cli import tables
from app.cli.opening import all_customers, customer_of, opened_directory
from app.cli.options import DEFAULT_CONFIG, Config, loaded
from app.cli.tables import AsJson
from app.directory.directory import Change
from app.directory.importing import LineOutcome, import_lines
from app.directory.lines import parse_customer
from app.model.accounts import Customer
from app.model.errors import BadUserInput
from app.services import services
from app.settings import Settings

customers = typer.Typer(help="Customers and the import of them.", no_args_is_help=True)


@customers.command("import")
def import_customers(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines, a customer each.")],
    config: Config = DEFAULT_CONFIG,
    verify: Annotated[  # noqa: FBT002 - it is a pair of flags
        bool, typer.Option("--verify/--no-verify", help="Try credentials before they are stored.")
    ] = True,
) -> None:
    """Import customers with accounts and credentials.

    The same file twice changes nothing. A bad line stops nothing: it is told by its number.

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
    outcomes = []
    kinds = settings.provider_kinds()
    console = Console(stderr=True)
    async with services(settings, serving=False) as opened:
        prove = opened.linking.prove if verify else None
        with Progress(console=console, transient=True, disable=not console.is_terminal) as shown:
            task = shown.add_task("Importing", total=len(lines))
            async for outcome in import_lines(
                lines, opened.directory, kinds, prove, opened.linking.forget
            ):
                outcomes.append(outcome)
                shown.update(task, completed=outcome.line)
    return outcomes


@customers.command("list")
def list_customers(
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List all customers by reference.

    Example: credit-gateway customers list --config gateway.toml
    """

    async def show() -> None:
        async with opened_directory(loaded(config)) as directory:
            pages = all_customers(directory)
            if sys.stdout.isatty() and not as_json:
                rows = [_shown(one) async for page in pages for one in page]
                tables.show({"reference": "reference", "displayName": "name"}, rows, as_json=False)
                return
            async for page in pages:
                for one in page:
                    if as_json:
                        tables.print_json(_shown(one))
                    else:
                        typer.echo(f"{one.reference}\t{one.display_name or ''}")

    asyncio.run(show())


def _shown(customer: Customer) -> dict[str, str | None]:
    return {
        "id": written(NodeId(NodeKind.CUSTOMER, customer.id)),
        "reference": customer.reference,
        "displayName": customer.display_name,
    }


@customers.command("create")
def create_customer(
    reference: Annotated[str, typer.Argument(help="Your own key for the customer.")],
    name: Annotated[str | None, typer.Option(help="The customer's name, to be shown.")] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Create a customer without accounts.

    Prints its id and what was done.

    Example: credit-gateway customers create C-1001 --name Anna
    """

    async def create() -> Customer:
        async with opened_directory(loaded(config)) as directory:
            created = await directory.create_customer(*parse_customer(reference, name))
        if created is None:
            raise BadUserInput(f"{reference} is another customer; choose another reference")
        return created

    customer = asyncio.run(create())
    typer.echo(f"{written(NodeId(NodeKind.CUSTOMER, customer.id))}\tCREATED")


@customers.command("delete")
def delete_customer(
    reference: Annotated[str, typer.Argument(help="The customer's reference.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Delete a customer with all that belongs to it.

    These are its accounts, their credentials and all that was read of them.

    Example: credit-gateway customers delete C-1001 --yes
    """
    settings = loaded(config)
    if not yes:
        _ask(reference, asyncio.run(_count_accounts(settings, reference)))

    async def delete() -> Customer:
        async with services(settings, serving=False) as opened:
            customer = await customer_of(opened.directory, reference)
            await opened.linking.delete(customer)
            return customer

    customer = asyncio.run(delete())
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
