"""Writing a customer's whole list to standard output."""

import asyncio
import sys
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from app.api.context import Context, Services
from app.api.deadline import Deadline
from app.api.histories import Source, SourceState
from app.cli.bars import Bars
from app.cli.gateway import opened_gateway
from app.cli.opening import customer_of
from app.cli.reading import deeper, newest, told
from app.exports.asking import Asked, asked
from app.exports.export import Export, opened
from app.exports.form import Format
from app.model.accounts import Account, Customer
from app.model.entries import Stream
from app.model.errors import BadUserInput, GatewayError
from app.model.instants import written
from app.model.viewer import Scope, Viewer
from app.providers.page import supports
from app.settings import Settings, load

# All has been read by then, but for what a cache has thrown out meanwhile.
_PATIENCE = timedelta(minutes=5)
_WHOEVER_IS_HERE = Viewer("the command line", frozenset(Scope))


class CutShort(GatewayError):
    """What was written is not all; the operator's turn."""


def export_list(
    config: Path,
    reference: str,
    stream: Stream,
    form: Format,
    bounds: Mapping[str, str | None],
    where: Iterable[str],
) -> None:
    """Write a customer's list, of those within `bounds` and `where` each `NAME=VALUE` holds."""
    settings = load(config)
    given = [(name, text) for name, text in bounds.items() if text is not None]
    given += [_pair(one) for one in where]
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
    async with opened_gateway(settings) as given:
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
