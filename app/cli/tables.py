"""Rows on standard output: a table at a terminal, plain lines in a pipe, JSON for scripts."""

import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.model.instants import written

# Where nobody looks at it, a line is never broken: it is for the next command of a pipe.
_UNBROKEN = 10_000
_STYLES = {
    "ok": "green",
    "WRONG": "bold red",
    "ACTIVE": "green",
    "NEEDS_RELINK": "bold red",
}


def show(headings: Mapping[str, str], rows: Iterable[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print rows of the keys that have a heading; what looks like markup in them is text."""
    if as_json:
        for row in rows:
            print_json(row)
        return
    is_seen = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD if is_seen else None, pad_edge=False, show_edge=False)
    for heading in headings.values():
        # A narrow terminal breaks a cell, but cuts nothing off.
        table.add_column(heading, overflow="fold")
    for row in rows:
        cells = (_cell(row[key]) for key in headings)
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
    width = None if is_seen else _UNBROKEN
    Console(width=width, soft_wrap=width is not None).print(table)


def print_json(row: Mapping[str, Any]) -> None:
    """Print an object on one line, times as GraphQL writes them."""
    shown = {key: written(v) if isinstance(v, datetime) else v for key, v in row.items()}
    typer.echo(orjson.dumps(shown))


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return written(value.replace(microsecond=0))
    if isinstance(value, bool):
        return "ok" if value else "WRONG"
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value)
