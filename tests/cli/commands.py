"""Running commands: within this process, or as a process of their own."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer
from typing import NamedTuple

import pytest
from canaries import assert_none

from app.cli import main

COMMAND = Path(sys.executable).with_name("credit-gateway")


class Outcome(NamedTuple):
    status: int
    out: str
    err: str


class Run:
    """Runs commands within this process, as the command line does."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        status = ended.value.code
        assert "Traceback" not in out + err
        assert_none(err, "what a command says")
        return Outcome(status if isinstance(status, int) else int(bool(status)), out, err)


@contextmanager
def running(*arguments: object, until: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Start a command and give what it printed, up to a line that holds `until`."""
    command = [str(COMMAND), *(str(argument) for argument in arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        too_long = Timer(100, process.kill)
        too_long.start()
        try:
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                if until in line:
                    break
            yield process, lines
        finally:
            too_long.cancel()
            if process.poll() is None:
                process.kill()


def stopped(process: subprocess.Popen[str], how: signal.Signals) -> Outcome:
    """Send a signal and return how the process ended."""
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, out, err)


def on_a_terminal(*arguments: object, into: Path | None = None) -> tuple[int, str]:
    """Run a command as a person would see it; returns its status and all that it showed.

    Standard output goes `into` a file where there is one.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    with (into or Path(os.devnull)).open("wb") as file:
        process = subprocess.Popen(
            [str(COMMAND), *(str(argument) for argument in arguments)],
            stdin=theirs,
            stdout=file if into else theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color"},
        )
    os.close(theirs)
    too_long = Timer(100, process.kill)
    too_long.start()
    parts = []
    with suppress(OSError):  # the other end is closed when the command has ended
        while part := os.read(ours, 65536):
            parts.append(part)
    os.close(ours)
    status = process.wait()
    too_long.cancel()
    return status, b"".join(parts).decode()


def assert_one_line(text: str, *says: str) -> None:
    """Hold an error to one line that says these parts."""
    assert text.startswith("credit-gateway: ")
    assert text.count("\n") == 1
    for part in says:
        assert part in text
