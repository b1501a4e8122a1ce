"""Tables on standard output."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Where nobody looks at it, a line is never broken: it is for the next command of a pipe.
_UNBROKEN = 10_000


def show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows as they are; what looks like markup in them is text."""
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else _UNBROKEN
    Console(width=width, soft_wrap=width is not None).print(table)
