"""The scripts of this folder: each is a process of Node.js, does one task, prints one answer."""

import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent
NODE = shutil.which("node")
INSTALLED = FOLDER / "node_modules" / ".package-lock.json"
needs_clients = pytest.mark.skipif(
    NODE is None or not INSTALLED.exists(),
    reason="the JavaScript clients are not installed; `npm ci` in tests/clients brings them, "
    "with Node.js 20.19 or newer",
)
# A script gives up by itself after a minute; this is for one that cannot.
_PATIENCE_SECONDS = 75


def answer_of(script: str, task: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
    """Return what a script answers to a task."""
    done = _run("node", script, json.dumps(task or {}))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def compile_for_relay(folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    """Run relay-compiler, which writes an artifact of every document under a folder's `relay`."""
    compiler = str(FOLDER / "node_modules" / "relay-compiler" / "cli.js")
    with (folder / "relay.config.json").open() as config:
        # Another process that runs tests may be writing the same; then there is nothing to write.
        fcntl.flock(config, fcntl.LOCK_EX)
        return _run("node", compiler, "relay.config.json", "--noWatchman", folder=folder)


def _run(*command: str, folder: Path = FOLDER) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        # relay-compiler adds what it writes to a repository that it finds.
        env={**os.environ, "GIT_DIR": os.devnull, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
