"""What all commands have: an example in their help, one line for misuse, and words to complete."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import COMMAND, Run, assert_one_line
from typer.main import get_command

from app.cli.app import application

# As the contract names them.
PROMISED = {
    *("demo", "serve", "sandbox", "check", "schema", "sync", "export", "token"),
    *("customers import", "customers list", "accounts list", "accounts link", "accounts unlink"),
    *("keys create", "keys list", "keys revoke", "vault keygen", "vault rotate"),
}


def commands(command: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - typer tells no type
    """Yield the names of all commands under one, as they are written."""
    within = getattr(command, "commands", None)
    if not within:
        yield path.strip()
    for name, one in (within or {}).items():
        yield from commands(one, f"{path} {name}")


ALL = list(commands(get_command(application)))
GROUPS = sorted({one.split()[0] for one in ALL if " " in one})


def test_every_command_that_is_promised_exists() -> None:
    assert set(ALL) >= PROMISED


@pytest.mark.parametrize("command", ALL)
def test_a_help_has_an_example_of_its_own_command(run: Run, command: str) -> None:
    ended = run(*command.split(), "--help")

    told = " ".join(ended.out.split())
    assert (ended.status, ended.err) == (0, "")
    assert "Example:" in told
    assert f"credit-gateway {command}" in told.split("Example:")[1]


@pytest.mark.parametrize("command", [*ALL, *GROUPS, ""])
def test_misuse_is_one_line_that_names_the_help(run: Run, command: str) -> None:
    ended = run(*command.split(), "--no-such-option")

    assert (ended.status, ended.out) == (2, "")
    named = f"credit-gateway {command}".strip()
    assert_one_line(ended.err, "No such option: --no-such-option", f"`{named} --help`")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["expor"], "Did you mean 'export'?"),
        (["export", "C-1"], "Missing argument 'history'"),
        (["export", "C-1", "refunds"], "'refunds' is not one of 'credit-changes', 'payments'"),
        (["export", "C-1", "payments", "--format", "xls"], "'csv', 'ndjson'"),
        (["serve", "--port", "many"], "--port"),
        (["keys", "create", "--name", "n"], "credits:read:any"),
    ],
)
def test_what_is_wrong_is_told_with_what_is_right(
    run: Run, arguments: list[str], says: str
) -> None:
    ended = run(*arguments)

    assert (ended.status, ended.out) == (2, "")
    assert_one_line(ended.err, says, "--help`")
    assert "Value error" not in ended.err


@pytest.mark.parametrize("group", [*GROUPS, ""])
def test_a_group_without_a_command_shows_what_there_is(run: Run, group: str) -> None:
    ended = run(*group.split())

    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"Usage: credit-gateway {group}".strip())
    assert "Commands:" in ended.err


def shell(script: str, **environ: str) -> str:
    """Return what bash prints that finds the command and has nothing of anybody's own."""
    path = f"{COMMAND.parent}:{os.environ['PATH']}"
    ran = subprocess.run(
        ["/bin/bash", "--norc", "-c", script],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
        env={**os.environ, "PATH": path, **environ},
    )
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_is_shown_how_to_complete(name: str) -> None:
    # Otherwise it is the shell that asks, by the name of its process.
    by_name = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}

    shown = shell(f"credit-gateway --show-completion {name}", **by_name)

    assert f"_CREDIT_GATEWAY_COMPLETE=complete_{name}" in shown


def test_bash_completes_once_it_is_told_to(tmp_path: Path) -> None:
    shell("credit-gateway --install-completion", HOME=str(tmp_path))
    completed = shell(
        """source ~/.bashrc
        COMP_WORDS=(credit-gateway export C-1001 pa)
        COMP_CWORD=3
        _credit_gateway_completion credit-gateway
        echo "${COMPREPLY[@]}" """,
        HOME=str(tmp_path),
    )

    assert completed.split() == ["payments"]


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("credit-gateway ex", ["export"]),
        ("credit-gateway accounts ", ["list", "link", "unlink"]),
        ("credit-gateway export C-1001 payments --format ", ["csv", "ndjson"]),
        ("credit-gateway keys create --scope accounts:", ["accounts:write", "accounts:write:any"]),
        ("credit-gateway sync --conf", ["--config"]),
    ],
)
def test_commands_options_and_their_values_are_completed(typed: str, completed: list[str]) -> None:
    shown = shell(
        "credit-gateway",
        _CREDIT_GATEWAY_COMPLETE="complete_bash",
        COMP_WORDS=typed,
        COMP_CWORD=str(typed.count(" ")),
    )

    assert shown.split() == completed
