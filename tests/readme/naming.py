"""The commands by their names, and whether a line names one of them."""

import shlex
from collections.abc import Iterator
from typing import Any

import typer.main

from app.cli.app import application

APPLICATION: Any = typer.main.get_command(application)


def commands(within: Any = APPLICATION, name: str = "credit-gateway") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - the library's own
    """Yield each command by its whole name."""
    for part, one in within.commands.items():
        if hasattr(one, "commands"):
            yield from commands(one, f"{name} {part}")
        else:
            yield f"{name} {part}", one


COMMANDS = dict(commands())


def assert_is_a_command(line: str) -> None:
    """Find the command that a line names, and each option of it; a comment may follow."""
    words = shlex.split(line, comments=True)
    if words[1].startswith("--"):
        assert words[1] in {option for one in APPLICATION.params for option in one.opts}, line
        return
    name = next((" ".join(words[:end]) for end in (3, 2) if " ".join(words[:end]) in COMMANDS), "")
    assert name, f"no such command: {line}"
    options = {option for one in COMMANDS[name].params for option in one.opts + one.secondary_opts}
    given = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert given <= {*options, "--help"}, line
