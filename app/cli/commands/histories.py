"""Commands that read whole histories."""

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.commands.options import DEFAULT_CONFIG, Config
from app.exports.form import Format
from app.model.entries import Stream
from app.server import garbage


class History(StrEnum):
    """Which list is exported."""

    CREDIT_CHANGES = "credit-changes"
    PAYMENTS = "payments"


def export(
    reference: Annotated[str, typer.Argument(help="The customer's reference.")],
    history: Annotated[History, typer.Argument(help="Which of its lists.")],
    form: Annotated[
        Format, typer.Option("--format", help="For spreadsheets, or as GraphQL has it.")
    ] = Format.CSV,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="At or after 2026-01-01T00:00:00Z.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Before this instant.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A field of GraphQL's filter; as often as needed."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write a customer's whole list, or an error in its place.

    It goes to standard output. What was read before and cannot be read now is written as it is
    known, and told to be stale.

    Example: credit-gateway export C-1001 credit-changes --where unit=SEK > changes.csv
    """
    with garbage.loading():
        from app.cli.exporting import export_list

    bounds = {"from": begin, "to": end}
    export_list(config, reference, Stream[history.name], form, bounds, where or ())


def sync(
    references: Annotated[
        list[str] | None,
        typer.Argument(metavar="REFERENCE", help="Customers; all where none is named."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Read whole histories into the cache.

    No page of them waits for a provider then. What is there and fresh costs no call; what was
    interrupted goes on where it ended.

    Example: credit-gateway sync C-1001 C-1002 --config gateway.toml
    """
    with garbage.loading():
        from app.cli.syncing import fill_cache

    fill_cache(config, list(dict.fromkeys(references or [])))
