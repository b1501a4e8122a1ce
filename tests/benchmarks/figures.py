"""What benchmarks measured, as a table in the end where this is loaded as a plugin of pytest."""

from typing import NamedTuple

import pytest


class Figure(NamedTuple):
    """A number that is held to a limit, each as it is shown; no limit for what is only told."""

    what: str
    measured: str
    limit: str = ""


_figures: list[Figure] = []


def note(what: str, measured: str, limit: str = "") -> None:
    """Show a figure in the table, whether it is within its limit or not."""
    _figures.append(Figure(what, measured, limit))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    table = [Figure("what", "measured", "limit"), *_figures]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    terminalreporter.section("figures")
    for figure in table:
        cells = [cell.ljust(width) for cell, width in zip(figure, widths, strict=True)]
        terminalreporter.write_line("  ".join(cells).rstrip())
