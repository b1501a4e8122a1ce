"""How a command shows that it reads histories: bars on a terminal, lines in a pipe."""

import sys
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from app.model.entries import Stream

# With those being read it is less than a small terminal's 24 lines.
_FINISHED_SHOWN = 8


class Bars:
    """A bar for each account being read, where standard error is a terminal.

    Unless standard output is for something else, each account that is done is a line on it where
    nobody sees the bars, and where it goes elsewhere.
    """

    def __init__(self, *, are_all: bool = False) -> None:
        self._console = Console(stderr=True)
        is_drawn = self._console.is_interactive
        self.has_lines = not are_all and not (is_drawn and sys.stdout.isatty())
        self.drawn = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(finished_style="green"),
            TextColumn("{task.fields[told]}", markup=False),
            console=self._console,
            redirect_stdout=False,
            disable=not is_drawn,
        )
        self._finished: deque[TaskID] = deque()

    def __enter__(self) -> Self:
        self.drawn.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.drawn.stop()

    def begin(self, reference: str, provider: str, label: str | None) -> "Bar":
        return Bar(self, reference, provider, label)

    def error(self, text: str) -> None:
        """Tell a failure in one line on standard error, above the bars."""
        told = " ".join(text.splitlines())
        self._console.print(Text(f"credit-gateway: {told}"), soft_wrap=True)

    def finished(self, task: TaskID) -> None:
        """Keep a finished bar in sight until others have followed it."""
        self._finished.append(task)
        if len(self._finished) > _FINISHED_SHOWN:
            self.drawn.remove_task(self._finished.popleft())


class Bar:
    """The bar of one account; `name` is what it is called there and in errors."""

    def __init__(self, bars: Bars, reference: str, provider: str, label: str | None) -> None:
        self._bars = bars
        self._begins = (reference, provider)
        self._ends = (label,) if label else ()
        self.name = f"{reference} {provider}" + (f" ({label})" if label else "")
        # Without a total it only moves: no provider says how long a history is.
        self._task = bars.drawn.add_task(self.name, total=None, told="")

    def show(self, counts: Mapping[Stream, int]) -> None:
        self._bars.drawn.update(self._task, told=counted(counts))

    def end(self, counts: Mapping[Stream, int], *, is_whole: bool) -> None:
        """Show it full, or empty where the account could not be read."""
        told = counted(counts) if is_whole else "failed"
        self._bars.drawn.update(self._task, total=1, completed=int(is_whole), told=told)
        self._bars.finished(self._task)
        if is_whole and self._bars.has_lines:
            typer.echo("\t".join((*self._begins, told, *self._ends)))


def counted(counts: Mapping[Stream, int]) -> str:
    """Return how many entries there are, such as `120 credit changes, 14 payments`."""
    named = ((count, stream.replace("_", " ")) for stream, count in counts.items())
    return ", ".join(f"{n} {what.removesuffix('s') if n == 1 else what}" for n, what in named)
