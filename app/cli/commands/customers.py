"""Commands about customers."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.options import DEFAULT_CONFIG, AsJson, Config
from app.server import garbage

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
    with garbage.loading():
        from app.cli.importing import import_file

    import_file(config, file, verify=verify)


@customers.command("list")
def list_customers(
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = DEFAULT_CONFIG,
) -> None:
    """List all customers by reference.

    Example: credit-gateway customers list --config gateway.toml
    """
    with garbage.loading():
        from app.cli.directory import show_customers

    show_customers(config, as_json=as_json)


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
    with garbage.loading():
        from app.cli import directory

    directory.create_customer(config, reference, name)


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
    with garbage.loading():
        from app.cli.importing import delete

    delete(config, reference, is_sure=yes)
