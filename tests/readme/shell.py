"""The README's commands as they are written, in a folder where they may change everything."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import NamedTuple

from document import ROOT, Block

_BIN = Path(sys.executable).parent
_NOT_COPIED = ("node_modules", "__pycache__", ".*_cache", "*.db*", "secrets")
# What serves until it is told to stop, and what it says once it does.
LASTING = {
    "make demo": "Ctrl-C stops it",
    "credit-gateway sandbox": "customers ",
    "credit-gateway serve": "Serving http",
}
# What is not run, by how its line begins, and why not.
NOT_RUN = {
    "make test": "it is what runs this",
    "docker compose": "there is no daemon, and images would be downloaded",
    "kubectl": "there is no cluster",
}
_MOST_SECONDS = 120


class Said(NamedTuple):
    out: str
    err: str


def copy_of_the_repository(folder: Path) -> Path:
    """Copy what is needed to run and to test; what was installed and built for it is found there.

    Installing and building are not tried by that: the gate does both, in a clean copy.
    """
    copy = folder / "credit-gateway"
    for name in ("app", "tests", "docker"):
        ignored = shutil.ignore_patterns(*_NOT_COPIED)
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("Makefile", "README.md", "pyproject.toml", "schema.graphql"):
        shutil.copy2(ROOT / name, copy / name)
    (copy / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (copy / ".venv" / name).symlink_to(_BIN.parent / name)
    web = copy / "app/web/node_modules"
    web.mkdir()
    made = [".venv/python", ".venv/installed", ".venv/installed-for-tests"]
    for mark in [*made, "app/web/node_modules/.package-lock.json"]:
        (copy / mark).touch()
    for built in (copy / "app/web/built").glob("**/*.html"):
        built.touch()
    return copy


class Shell:
    """Runs blocks in one folder, one after the other; what one exports, the next one finds.

    `instead` are texts that are replaced in every block; `used` are those that were.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.instead: dict[str, str] = {}
        self.used: set[str] = set()
        path = f"{_BIN}{os.pathsep}{os.environ['PATH']}"
        # The copy is what runs, and not what was installed.
        own = {"PATH": path, "PYTHONPATH": str(folder), "HOME": str(folder)}
        self.environment = {**own, "LANG": "C.UTF-8", **environment}

    def written(self, text: str) -> str:
        """Return a text as it is used here."""
        for placeholder, here in self.instead.items():
            if placeholder in text:
                self.used.add(placeholder)
                text = text.replace(placeholder, here)
        return text

    def run(self, text: str) -> Said:
        """Run commands to their end; the first that fails fails the test."""
        kept = self.folder / ".environment"
        script = f"set -euo pipefail\ntrap 'env -0 > \"{kept}\"' EXIT\n{self.written(text)}"
        done = subprocess.run(
            ["/bin/bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_MOST_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        pairs = (pair.partition("=") for pair in kept.read_text().split("\0") if pair)
        self.environment = {name: value for name, _, value in pairs}
        return Said(done.stdout, done.stderr)

    @contextmanager
    def lasting(self, command: str, until: str) -> Iterator[str]:
        """Start a command and yield what it has said once it serves; it ends well in the end."""
        with subprocess.Popen(
            ["/bin/bash", "-c", f"exec {self.written(command)}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            # As Ctrl-C does, the signal reaches what `make` has started too, and nobody else.
            start_new_session=True,
        ) as process:
            assert process.stdout
            too_long = Timer(_MOST_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
            too_long.start()
            said = ""
            try:
                for line in process.stdout:
                    said += line
                    if until in line:
                        break
                assert until in said, f"{command}\n{said}"
                too_long.cancel()
                yield said
                os.killpg(process.pid, signal.SIGINT)
                rest, _ = process.communicate(timeout=60)
                assert "Traceback" not in said + rest
            finally:
                too_long.cancel()
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def split(block: Block) -> tuple[str, str | None]:
    """Return the commands of a block that end, and the one that lasts; both are run."""
    ending, lasting = [], None
    for line in block.lines:
        command = re.split(r"\s+#", line)[0]
        if any(re.fullmatch(rf"{one}( .*)?", command) for one in LASTING):
            assert lasting is None, "two commands of one block last"
            lasting = command
        elif not command.startswith(tuple(NOT_RUN)):
            ending.append(line)
    return "\n".join(ending), lasting


def until(command: str) -> str:
    """Return what a lasting command says once it serves."""
    return next(said for one, said in LASTING.items() if command.startswith(one))


def merged(before: str, text: str) -> str:
    """Return a configuration with the tables of another one in the place of its own."""
    for table in re.findall(r"^\[.+\]$", text, re.MULTILINE):
        own = rf"^{re.escape(table)}$.*?(?=^\[|\Z)"
        before = re.sub(own, "", before, flags=re.MULTILINE | re.DOTALL)
    return f"{before.strip()}\n\n{text}"
