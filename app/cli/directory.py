"""What the directory alone is needed for: lists of customers and accounts, and new customers."""

import asyncio
import sys
from pathlib import Path

import typer

from app.api.ids import NodeId, NodeKind, written
from app.cli import tables
from app.cli.opening import all_customers, customer_of, opened_directory
from app.directory.lines import parse_customer
from app.model.accounts import Account, Customer
from app.model.errors import BadUserInput
from app.settings import load


def show_customers(config: Path, *, as_json: bool) -> None:
    """Print all customers by reference."""

    async def show() -> None:
        async with opened_directory(load(config)) as directory:
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


def create_customer(config: Path, reference: str, name: str | None) -> None:
    """Create a customer and print its id; raises `BadUserInput` where there is one."""

    async def create() -> Customer:
        async with opened_directory(load(config)) as directory:
            created = await directory.create_customer(*parse_customer(reference, name))
        if created is None:
            raise BadUserInput(f"{reference} is another customer; choose another reference")
        return created

    customer = asyncio.run(create())
    typer.echo(f"{written(NodeId(NodeKind.CUSTOMER, customer.id))}\tCREATED")


def show_accounts(config: Path, reference: str, *, as_json: bool) -> None:
    """Print a customer's accounts; raises `NotFound`."""

    async def found() -> list[Account]:
        async with opened_directory(load(config)) as directory:
            customer = await customer_of(directory, reference)
            (linked,) = await directory.accounts_by_customer([customer.id])
            return linked

    rows = [
        {
            "id": written(NodeId(NodeKind.ACCOUNT, one.id)),
            "provider": one.provider,
            "label": one.label,
            "status": one.status,
            "linkedAt": one.linked_at,
        }
        for one in asyncio.run(found())
    ]
    headings = {name: name for name in ("id", "provider", "label", "status")}
    tables.show({**headings, "linkedAt": "linked at"}, rows, as_json=as_json)
