"""The command that writes a customer's whole list to standard output."""

import asyncio
import sys
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.histories import Source, SourceState
from app.api.scalars import written
from app.cli.bars import Bars
from app.cli.opening import customer_of
from app.cli.options import DEFAULT_CONFIG, Config, loaded
from app.cli.reading import deeper, newest, told
from app.exports.asking import Asked, asked
from app.exports.export import Export, opened
from app.exports.formats import Format
from app.model.accounts import Account, Customer
from app.model.entries import Stream
from app.model.errors import BadUserInput, GatewayError
from app.model.viewer import Scope, Viewer
from app.providers.page import supports
from app.services import services
from app.settings import Settings

# All has been read by then, but for what a cache has thrown out meanwhile.
_PATIENCE = timedelta(minutes=5)
_WHOEVER_IS_HERE = Viewer("the command line", frozenset(Scope))


class History(StrEnum):
    """Which list is exported."""

    CREDIT_CHANGES = "credit-changes"
    PAYMENTS = "payments"


class CutShort(GatewayError):
    """What was written is not all; the operator's turn."""


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
    settings = loaded(config)
    bounds = (("from", begin), ("to", end))
    given = [(name, text) for name, text in bounds if text is not None]
    given += [_pair(one) for one in where or ()]
    stream = Stream[history.name]
    try:
        wanted = asked(stream, given, settings.providers)
    except BadUserInput as error:
        raise typer.BadParameter(str(error)) from error
    if not asyncio.run(_export(settings, reference, wanted, form)):
        raise typer.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, is_there, value = text.partition("=")
    if not is_there:
        raise typer.BadParameter("write NAME=VALUE, such as kinds=SPEND", param_hint="--where")
    return name, value


async def _export(settings: Settings, reference: str, wanted: Asked, form: Format) -> bool:
    """Return whether all of it was written; what kept it from that is told."""
    async with services(settings) as given:
        customer = await customer_of(given.directory, reference)
        with Bars(are_all=True) as bars:
            if not await _read(given, bars, customer, wanted):
                return False
            context = Context(given, _WHOEVER_IS_HERE, Deadline(_PATIENCE))
            whole = await opened(context, customer.id, wanted)
            for source in whole.sources:
                if source.state is SourceState.STALE:
                    bars.error(_stale(source))
        await _write(whole, form)
    return True


async def _read(given: Services, bars: Bars, customer: Customer, wanted: Asked) -> bool:
    """Read what is wanted of each account; return whether all of it is known now."""
    (accounts,) = await given.directory.accounts_by_customer([customer.id])
    able = [
        one
        for one in accounts
        if wanted.chosen.takes(one) and supports(given.providers[one.provider], wanted.stream)
    ]
    return all(
        await asyncio.gather(*(_read_one(given, bars, customer, one, wanted) for one in able))
    )


async def _read_one(
    given: Services, bars: Bars, customer: Customer, account: Account, wanted: Asked
) -> bool:
    bar, stream = bars.begin(customer.reference, account.provider, account.label), wanted.stream
    counts: dict[Stream, int] = {}
    try:
        known = (await newest(given, account, stream)).snapshot
        async for snapshot in deeper(given, account, stream, known, wanted.chosen.start):
            counts[stream] = len(snapshot.entries)
            bar.show(counts)
    except GatewayError as error:
        bars.error(f"{bar.name}: {told(error, 'export again')} Nothing is exported.")
        bar.end(counts, is_whole=False)
        return False
    bar.end(counts, is_whole=True)
    return True


async def _write(whole: Export, form: Format) -> None:
    """Write everything; raises `CutShort`, and `BrokenPipeError` where nobody reads any more."""
    out, console = sys.stdout.buffer, Console(stderr=True)
    # Over the rows themselves a bar would be drawn into them.
    is_drawn = console.is_interactive and not sys.stdout.isatty()
    columns = (TextColumn("Writing"), BarColumn(), DownloadColumn())
    try:
        with Progress(*columns, console=console, disable=not is_drawn) as shown:
            task = shown.add_task("Writing", total=None)
            for part in whole.parts(form):
                out.write(part)
                shown.advance(task, len(part))
                # Ctrl-C is heard between two parts.
                await asyncio.sleep(0)
            out.flush()
    except BrokenPipeError:
        raise
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise CutShort(f"the output is incomplete ({reason}); export again") from error


def _stale(source: Source) -> str:
    account = source.account
    named = f"{account.provider} ({account.label})" if account.label else account.provider
    as_of = f", as of {written(source.read_at)}" if source.read_at else ""
    because = f"; {source.error.code}: {source.error}" if source.error else ""
    return f"{named} is STALE{as_of}{because}"
